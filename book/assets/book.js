// What the pages do beyond the theme: boxes that scroll can be reached by keyboard, code is copied,
// a tap enlarges a figure, print shows what is folded.

const SCROLLING =
  ":is(pre:not(.lp-code), div.math, .output, .pst-scrollable-table-container, .figure-box, p:has(> img))";

// A box that does not scroll is no stop on the way through the page. All are measured before one
// changes, or the browser would lay out the page again for each.
function letScroll(boxes) {
  const changed = boxes.filter(
    (box) => box.scrollWidth > box.clientWidth + 1 !== box.hasAttribute("tabindex"),
  );
  for (const box of changed) {
    if (box.hasAttribute("tabindex")) box.removeAttribute("tabindex");
    else box.tabIndex = 0;
  }
}

async function copy(button) {
  const code = button.previousElementSibling;
  if (navigator.clipboard) await navigator.clipboard.writeText(code.textContent);
  else {
    // A page that came by plain HTTP has no clipboard but the one of what is selected.
    getSelection().selectAllChildren(code);
    document.execCommand("copy");
  }
  const name = button.ariaLabel;
  button.ariaLabel = "Copied";
  button.classList.add("copied");
  setTimeout(() => {
    button.ariaLabel = name;
    button.classList.remove("copied");
  }, 1500);
}

function enlarge(image) {
  const dialog = document.createElement("dialog");
  dialog.className = "enlarged";
  dialog.setAttribute("aria-label", "Figure, enlarged");
  const large = document.createElement("img");
  large.src = image.currentSrc; // on a phone the picture with one panel above the other
  large.alt = image.alt;
  large.width = image.naturalWidth;
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "Close";
  dialog.append(close, large);
  dialog.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

// For the keyboard: a button behind the figure, which shows when it has the focus.
function buttonToEnlarge(image) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "enlarge";
  button.textContent = "Enlarge the figure";
  button.addEventListener("click", () => enlarge(image));
  return button;
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest(".copybtn:not(.copied)");
  if (button) copy(button);
});

document.addEventListener("DOMContentLoaded", () => {
  const page = document.querySelector(".bd-article") ?? document.body;
  // When the page is laid out, when its size changes, and when code that was far away is laid out.
  new ResizeObserver(() => letScroll([...page.querySelectorAll(SCROLLING)])).observe(page);
  page.addEventListener("contentvisibilityautostatechange", ({ skipped, target }) => {
    if (!skipped) letScroll([target]);
  });
  for (const image of document.querySelectorAll(".bd-article :is(figure, .cell_output) img")) {
    image.addEventListener("click", () => enlarge(image));
    (image.closest(".figure-box") ?? image).after(buttonToEnlarge(image));
  }
});

// A folded solution is printed, and folds again afterwards.
let unfolded = [];
window.addEventListener("beforeprint", () => {
  unfolded = [...document.querySelectorAll(".bd-article details:not([open])")];
  for (const fold of unfolded) fold.open = true;
});
window.addEventListener("afterprint", () => {
  for (const fold of unfolded) fold.open = false;
});
