#!/usr/bin/env python3
"""Uses the server's page in Chromium, as a user does. Skipped (77) without chromium and chromedriver.

    page_test.py HALFSTEP MODELS [--pictures FOLDER]

--pictures: write screenshots there.
"""

import pathlib
import sys
import tempfile

import browser
from serving import Server

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "report"))
from program import Workspace  # noqa: E402

FLAGS = ("--threads", "1")
TAB, ENTER, SPACE, ESCAPE = "\ue004", "\ue007", " ", "\ue00c"
DONE = "document.getElementById('status').textContent.startsWith('Done')"
IMAGES = "return [...document.querySelectorAll('#rows img')].map((image) => image.src)"


def draws_and_changes_the_class(page, server):
    page.open(server.address)
    page.wait("document.querySelectorAll('#models input').length === 1")
    page.type("#count", "3")
    page.click("#draw")
    page.wait(DONE)
    first = page.run(IMAGES)
    assert len(first) == 3 and len(set(first)) == 3
    assert page.run("return [...document.querySelectorAll('#rows img')].every((image) => image.naturalWidth === 28)")
    assert page.run("return document.querySelector('tbody th').innerText").startswith("fashion-1-step\n1 step, ")
    page.run("document.getElementById('class').value = 'Bag'")
    page.click("#draw")
    page.wait(DONE + " && document.querySelectorAll('#rows img').length === 3")
    bags = page.run(IMAGES)
    assert bags != first
    assert page.name_of("#rows img") == "Seed 0, Bag, by fashion-1-step"
    return bags


def the_link_draws_the_same_images(page, bags):
    link = page.run("return document.getElementById('link').href")
    assert "class=Bag" in link and "seed=0" in link and "n=3" in link, link
    assert page.run("return location.href") == link
    page.open("about:blank")
    page.open(link)
    page.wait(DONE)
    assert page.run(IMAGES) == bags
    assert page.run("return document.querySelector('#rows a').download") == "fashion-1-step-seed0.png"


def works_by_keyboard_and_names_everything(page):
    """Tabs through the form, and presses Draw with the space bar."""
    page.run("document.getElementById('rows').replaceChildren(); document.activeElement.blur()")
    seen = []
    while "draw" not in seen:
        page.press(TAB)
        seen.append(page.run("return document.activeElement.id"))
        assert len(seen) < 12, seen
    assert {"model-fashion-1-step", "class", "seed", "count", "draw"} <= set(seen), seen
    page.press(SPACE)
    page.wait(DONE + " && document.querySelectorAll('#rows img').length === 3")
    for selector, name in (("#class", "Class"), ("#seed", "First seed"), ("#count", "Images"), ("#draw", "Draw"),
                           ("#region", "Images")):
        assert page.name_of(selector) == name, (selector, page.name_of(selector))


def compares_models_and_cancels(page, server):
    page.open(server.address + "/?seed=5&n=4&class=Sneaker")
    page.wait("document.querySelectorAll('#rows tr').length === 5")
    page.wait("[...document.querySelectorAll('#rows tr')].slice(0, 4).every((row) => row.dataset.state === 'done')")
    heads = page.run("return [...document.querySelectorAll('tbody th')].map((head) => head.innerText)")
    for head, steps in zip(heads, ("1 step,", "2 steps,", "4 steps,", "8 steps,")):
        assert steps in head, heads
    # The teacher takes much longer than the test waits.
    page.wait("document.querySelectorAll('tbody th')[4].innerText.includes('step ')")
    page.press(ESCAPE)
    page.wait("document.getElementById('status').textContent === 'Cancelled.'")
    page.wait("document.querySelectorAll('tbody th')[4].innerText.includes('cancelled')")
    # The server has cancelled it, too: it draws for others.
    page.click("#model-teacher")
    page.click("#next")
    page.wait(DONE)
    assert page.run("return document.querySelectorAll('#rows img').length") == 16
    assert page.run("return document.querySelector('#rows img').alt") == "Seed 9, Sneaker, by fashion-1-step"
    assert "Done: 4 images by each of 4 models." == page.run("return document.getElementById('status').textContent")
    assert not page.run("return document.getElementById('save').disabled")


def wants_the_key(page, server):
    page.open(server.address)
    page.wait("!document.getElementById('key-field').hidden")
    page.type("#key", "0123456789abcdef")
    page.press(ENTER)
    page.wait("document.querySelectorAll('#models input').length === 1")
    page.click("#draw")
    page.wait(DONE)


# Gives the page a picture of 4 x 4 pixels, black on the left and white on the right.
CHOOSE = """
    const canvas = Object.assign(document.createElement("canvas"), {width: 4, height: 4});
    const context = canvas.getContext("2d");
    context.fillRect(0, 0, 2, 4);
    context.fillStyle = "white";
    context.fillRect(2, 0, 2, 4);
    canvas.toBlob((blob) => {
      const files = new DataTransfer();
      files.items.add(new File([blob], "picture.png"));
      document.getElementById("image").files = files.files;
      document.getElementById("image").dispatchEvent(new Event("change"));
    });
"""

# Paints over the upper left pixel of the picture.
PAINT = """
    const box = document.getElementById("paint").getBoundingClientRect();
    for (let x = 4; x < 56; x += 8) for (let y = 4; y < 56; y += 8)
      document.getElementById("paint").dispatchEvent(new PointerEvent("pointermove", {
          buttons: 1, clientX: box.left + x, clientY: box.top + y}));
"""

# Returns the levels of the pixels of the picture that was drawn, 4 x 4.
LEVELS = """
    const image = document.querySelector("#rows img");
    const canvas = Object.assign(document.createElement("canvas"), {width: 4, height: 4});
    canvas.getContext("2d").drawImage(image, 0, 0, 4, 4);
    return [...canvas.getContext("2d").getImageData(0, 0, 4, 4).data].filter((_, i) => i % 4 === 0);
"""


def fills_in_what_is_painted(page, server, picture):
    page.open(server.address)
    page.wait("!document.getElementById('image-field').hidden")
    page.type("#count", "1")
    page.click("#draw")
    page.wait("document.querySelector('tbody th').innerText.includes('image: expected')")
    page.run(CHOOSE)
    page.wait("!document.getElementById('paint').hidden")
    assert not page.run("return document.getElementById('paint-hint').hidden")
    page.click("#draw")
    page.wait(DONE)
    assert page.run(LEVELS) == [0, 0, 255, 255] * 4
    page.run(PAINT)
    page.click("#draw")
    page.wait(DONE + " && document.querySelectorAll('#rows img').length === 1")
    levels = page.run(LEVELS)
    assert levels[0] != 0 and levels[1:] == ([0, 0, 255, 255] * 4)[1:], levels
    picture(page, "inpainting")


def main():
    if not browser.is_installed():
        print("chromium or chromedriver is not installed")
        sys.exit(77)
    program, models = sys.argv[1], pathlib.Path(sys.argv[2])
    pictures = pathlib.Path(sys.argv[4]) if "--pictures" in sys.argv else None

    def picture(page, name):
        if pictures:
            page.picture(pictures / f"{name}.png")

    five = [models / f"fashion-{name}" for name in ("1-step", "2-steps", "4-steps", "8-steps")]
    five.append(f"teacher={models / 'fashion-teacher'}")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = pathlib.Path(name)
        with browser.Browser(folder / "light") as page:
            with Server(program, five[:1], *FLAGS) as server:
                bags = draws_and_changes_the_class(page, server)
                picture(page, "one-model")
                the_link_draws_the_same_images(page, bags)
                works_by_keyboard_and_names_everything(page)
                assert page.errors() == []
            with Server(program, five, *FLAGS, "--steps", "100000") as server:
                compares_models_and_cancels(page, server)
                picture(page, "five-models")
                assert page.errors() == []
            (folder / "key").write_text("0123456789abcdef")
            with Server(program, five[:1], *FLAGS, "--api-key-file", folder / "key") as server:
                wants_the_key(page, server)
                picture(page, "key")
            fills_in = Workspace(program, folder).train("--condition", "inpainting")
            with Server(program, [fills_in], *FLAGS, "--steps", "2") as server:
                fills_in_what_is_painted(page, server, picture)


if __name__ == "__main__":
    main()
