"""Tests of check_sizes.py."""

import unittest

import source_tree
from check_sizes import MAX_FILE_LINES, MAX_FUNCTION_LINES, check, functions


def problems(files):
    return source_tree.problems(check, files)


def names(text):
    return [name for name, _, _ in functions(text)]


class Files(unittest.TestCase):
    def test_longest_allowed_file_passes(self):
        self.assertEqual(problems({"src/a.cc": "\n" * MAX_FILE_LINES}), [])

    def test_longer_files_fail_in_every_folder_and_language(self):
        long = "\n" * (MAX_FILE_LINES + 1)
        found = problems({"src/a.h": long, "cli/b.cc": long, "tests/c_test.py": long, "tests/d.json": long,
                          "bench/e.cc": long})
        self.assertEqual([problem.split(":")[0] for problem in found], ["src/a.h", "cli/b.cc", "tests/c_test.py"])


class Functions(unittest.TestCase):
    def test_length_is_from_brace_to_brace(self):
        [(name, line, lines)] = functions("int f(int a,\n      int b) {\n  return a;\n}\n")
        self.assertEqual((name, line, lines), ("int f", 2, 2))

    def test_longest_allowed_function_passes_and_a_longer_one_fails(self):
        body = "  g();\n" * (MAX_FUNCTION_LINES - 1)
        self.assertEqual(problems({"src/a.cc": "void f() {\n" + body + "}\n"}), [])
        [problem] = problems({"src/a.cc": "void f() {\n" + body + "  g();\n}\n"})
        self.assertIn("src/a.cc:1: void f: 61 lines", problem)

    def test_members_templates_and_tests_are_functions(self):
        self.assertEqual(names("""
            namespace a {
            class B final : public C<int> {
             public:
              B() : x_{1}, y_(f([] { return 2; })) { g(); }
              int get() const { return x_; }
             private:
              struct D { int d = 0; };
              int x_ = 0; std::vector<int> y_ = {1, 2};
            };
            template <class T, class U = std::pair<T, T>>
            T twice(T t) noexcept { if (t) { return t; } return t; }
            }
            extern "C" { int main() { return 0; } }
            TEST_F(Suite, Name) { for (;;) { } }
            """), ["B", "int get", "template <class T, class U = std::pair<T, T>> T twice", "int main",
                   "TEST_F(Suite, Name)"])

    def test_values_and_types_are_not(self):
        self.assertEqual(names("""
            enum class E : int { a, b };
            constexpr std::array<int, 2> kA{1, 2};
            constexpr auto kB = std::to_array<int>({{1}, {2}});
            struct F { static constexpr auto k = g({1}); };
            """), [])

    def test_braces_outside_the_code_do_not_count(self):
        self.assertEqual(names("""
            // void a() {
            /* { */
            #define M(x) { \\
              { x
            const char* s = "{", c = '{', *r = R"x( { )" )x";
            int n = 1'000'000;
            void f() { h("\\"}", '}', '\\''); }
            void g() {}
            """), ["void f", "void g"])


if __name__ == "__main__":
    unittest.main()
