#include "halfstep/http/listener.h"

#include <httplib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/http/connection.h"
#include "halfstep/http/frame.h"
#include "halfstep/http/sockets.h"

namespace halfstep::http {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kTick{100};         // how often the time limits are looked at
constexpr milliseconds kLingerTime{1000};  // for what a refused client still sends

using ConnectionPtr = std::shared_ptr<Connection>;

}  // namespace

// The thread of run() alone touches connections, except for the request of one that is handled.
class Listener::Loop {
 public:
  Loop(const ListenerOptions& options, Handler handler, OnExchange on_exchange)
      : options_(options),
        handler_(std::move(handler)),
        on_exchange_(std::move(on_exchange)),
        listening_(listen_at(options.host, options.port)),
        port_(port_of(listening_)),
        poll_(::epoll_create1(EPOLL_CLOEXEC)),
        wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (!poll_.is_open() || !wake_.is_open())
      throw IoError("epoll", "expected two descriptors, received none");
    watch(EPOLL_CTL_ADD, listening_.get(), EPOLLIN);
    watch(EPOLL_CTL_ADD, wake_.get(), EPOLLIN);
  }

  int port() const { return port_; }

  void run() {
    httplib::ThreadPool threads(options_.threads);
    threads_ = &threads;
    std::array<epoll_event, 256> events{};
    while (!is_over()) {
      const int count = ::epoll_wait(poll_.get(), events.data(), static_cast<int>(events.size()),
                                     static_cast<int>(kTick.count()));
      for (int i = 0; i < count; ++i) on_event(events[static_cast<std::size_t>(i)]);
      take_responses();
      check_times();
      if (stopping_) stop_receiving();
    }
    threads.shutdown();
    connections_.clear();
  }

  void stop() {
    stopping_ = true;
    wake();
  }

 private:
  void watch(int operation, int fd, uint32_t events) const {
    epoll_event event{.events = events, .data = {.fd = fd}};
    ::epoll_ctl(poll_.get(), operation, fd, &event);
  }

  void wake() const {
    const uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof(one));
  }

  void on_event(const epoll_event& event) {
    const int fd = event.data.fd;
    if (fd == listening_.get()) return accept_all();
    if (fd == wake_.get()) {
      uint64_t count = 0;
      (void)!::read(fd, &count, sizeof(count));
      return;
    }
    const auto found = connections_.find(fd);
    if (found == connections_.end()) return;  // closed earlier in this round
    const ConnectionPtr connection = found->second;
    switch (connection->stage) {
      case Stage::receiving:
        return receive(connection);
      case Stage::handling:
        return lose(*connection);
      case Stage::sending:
        return send(connection);
      case Stage::lingering:
        return linger(connection);
    }
  }

  void accept_all() {
    while (true) {
      Accepted accepted = accept_at(listening_);
      if (accepted.is_full && close_oldest_idle()) continue;
      if (!accepted.socket.is_open()) return;
      if (connections_.size() >= options_.connections && !close_oldest_idle()) continue;
      const int fd = accepted.socket.get();
      auto connection = std::make_shared<Connection>();
      connection->socket = std::move(accepted.socket);
      connection->address = std::move(accepted.address);
      connections_[fd] = std::move(connection);
      watch(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLRDHUP);
    }
  }

  // Closes the connection that has sent nothing for the longest time. Returns false if there is
  // none.
  bool close_oldest_idle() {
    ConnectionPtr oldest;
    for (const auto& [fd, connection] : connections_) {
      const bool idle = connection->stage == Stage::receiving;
      if (idle && (!oldest || connection->since < oldest->since)) oldest = connection;
    }
    if (oldest) close(*oldest);
    return oldest != nullptr;
  }

  // The thread that has handled a request may still hold the connection for a moment.
  void close(Connection& connection) {
    const int fd = connection.socket.get();
    connection.socket.close();
    connections_.erase(fd);
  }

  void receive(const ConnectionPtr& connection) {
    if (receive_bytes(*connection, kMostHead + kMostBody) == Transfer::failed)
      return close(*connection);
    begin_request(connection);
  }

  // Hands on the request at the beginning of what was received, if it is whole.
  void begin_request(const ConnectionPtr& connection) {
    if (connection->in.empty()) return;
    const Frame frame = find_frame(connection->in);
    if (frame.state == Frame::State::incomplete) return;
    if (frame.state == Frame::State::refused) return refuse(connection, frame.status, frame.reason);
    connection->stage = Stage::handling;
    watch(EPOLL_CTL_MOD, connection->socket.get(), EPOLLRDHUP);
    std::string bytes = connection->in.substr(0, frame.head + frame.body);
    connection->in.erase(0, bytes.size());
    threads_->enqueue([this, connection, bytes = std::move(bytes), head = frame.head] {
      Response response = respond(bytes, head, handler_, [&] { return connection->gone.load(); });
      const std::lock_guard lock(mutex_);
      responses_.emplace_back(connection, std::move(response));
      wake();
    });
  }

  void refuse(const ConnectionPtr& connection, int status, const std::string& reason) {
    connection->lingers = true;
    answer(connection, http::refuse(status, reason));
  }

  // The client has closed while its request is handled.
  void lose(Connection& connection) const {
    connection.gone = true;
    ::epoll_ctl(poll_.get(), EPOLL_CTL_DEL, connection.socket.get(), nullptr);
  }

  void take_responses() {
    std::vector<std::pair<ConnectionPtr, Response>> responses;
    {
      const std::lock_guard lock(mutex_);
      responses.swap(responses_);
    }
    for (auto& [connection, response] : responses) answer(connection, std::move(response));
  }

  void answer(const ConnectionPtr& connection, Response response) {
    if (connection->gone) response.record.status = kClientGone;
    response.record.client = connection->address;
    if (on_exchange_) on_exchange_(response.record);
    if (connection->gone) return close(*connection);
    connection->closes = !response.keeps_connection;
    connection->out = std::move(response.bytes);
    connection->sent = 0;
    connection->stage = Stage::sending;
    connection->since = Clock::now();
    send(connection);
  }

  void send(const ConnectionPtr& connection) {
    Connection& to = *connection;
    const Transfer transfer = send_bytes(to);
    if (transfer == Transfer::failed) return close(to);
    if (transfer == Transfer::blocked) return watch(EPOLL_CTL_MOD, to.socket.get(), EPOLLOUT);
    if (to.lingers) return begin_lingering(to);
    if (to.closes) return close(to);
    to.stage = Stage::receiving;
    watch(EPOLL_CTL_MOD, to.socket.get(), EPOLLIN | EPOLLRDHUP);
    begin_request(connection);
  }

  void begin_lingering(Connection& connection) const {
    connection.stage = Stage::lingering;
    ::shutdown(connection.socket.get(), SHUT_WR);
    watch(EPOLL_CTL_MOD, connection.socket.get(), EPOLLIN | EPOLLRDHUP);
  }

  void linger(const ConnectionPtr& connection) {
    connection->in.clear();
    const Clock::time_point since = connection->since;  // a client that goes on does not stay
    if (receive_bytes(*connection, kMostBody) == Transfer::failed) return close(*connection);
    connection->since = since;
  }

  void check_times() {
    const Clock::time_point now = Clock::now();
    std::vector<ConnectionPtr> late, slow;
    for (const auto& [fd, connection] : connections_) {
      const auto age = now - connection->since;
      if (connection->stage == Stage::receiving && !connection->in.empty()) {
        if (age > options_.request_time) slow.push_back(connection);
      } else if ((connection->stage == Stage::receiving && age > options_.idle_time) ||
                 (connection->stage == Stage::sending && age > options_.send_time) ||
                 (connection->stage == Stage::lingering && age > kLingerTime)) {
        late.push_back(connection);
      }
    }
    for (const ConnectionPtr& connection : late) close(*connection);
    for (const ConnectionPtr& connection : slow)
      refuse(connection, 408, "expected the whole request in time, received a part of it");
  }

  void stop_receiving() {
    if (listening_.is_open()) {
      stopped_at_ = Clock::now();
      listening_.close();
    }
    std::vector<ConnectionPtr> idle;
    for (const auto& [fd, connection] : connections_)
      if (connection->stage == Stage::receiving) idle.push_back(connection);
    for (const ConnectionPtr& connection : idle) close(*connection);
  }

  bool is_over() const {
    return stopping_ && !listening_.is_open() &&
           (connections_.empty() || Clock::now() - stopped_at_ > options_.send_time);
  }

  const ListenerOptions options_;
  const Handler handler_;
  const OnExchange on_exchange_;
  Descriptor listening_;
  const int port_;
  Descriptor poll_;
  Descriptor wake_;
  httplib::ThreadPool* threads_ = nullptr;
  std::unordered_map<int, ConnectionPtr> connections_;  // by descriptor
  std::atomic<bool> stopping_ = false;
  Clock::time_point stopped_at_;

  std::mutex mutex_;
  std::vector<std::pair<ConnectionPtr, Response>> responses_;  // of the threads
};

Listener::Listener(const ListenerOptions& options, Handler handler, OnExchange on_exchange)
    : loop_(std::make_unique<Loop>(options, std::move(handler), std::move(on_exchange))) {}

Listener::~Listener() = default;

int Listener::port() const { return loop_->port(); }

void Listener::run() { loop_->run(); }

void Listener::stop() { loop_->stop(); }

}  // namespace halfstep::http
