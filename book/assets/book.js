// What the pages do beyond the theme: boxes that scroll can be reached by keyboard, a tap enlarges
// a figure, print shows what is folded.

const SCROLLING = ".bd-article :is(pre, div.math, .text_html, .pst-scrollable-table-container, .figure-box, p:has(> img))";

// A box that does not scroll is no stop on the way through the page.
function letBoxesScroll() {
  for (const box of document.querySelectorAll(SCROLLING)) {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

function enlarge(image) {
  const dialog = document.createElement("dialog");
  dialog.className = "enlarged";
  dialog.setAttribute("aria-label", "Figure, enlarged");
  const large = document.createElement("img");
  large.src = image.src;
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

document.addEventListener("DOMContentLoaded", () => {
  letBoxesScroll();
  new ResizeObserver(letBoxesScroll).observe(document.querySelector(".bd-article") ?? document.body);
  for (const image of document.querySelectorAll(".bd-article :is(figure, .cell_output) img")) {
    image.addEventListener("click", () => enlarge(image));
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
