// The guide to a loss: it asks one question after another, shows the answer that the page already
// has, and keeps the choices in the address, so that they can be sent to somebody.

document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("form.guide");
  const first = JSON.parse(document.querySelector("#guide-questions").textContent);
  const answers = document.querySelector(".guide-answers");
  answers.setAttribute("aria-live", "polite");
  let choices = [];

  function ask(question, depth) {
    const field = document.createElement("fieldset");
    const legend = document.createElement("legend");
    legend.textContent = question.ask;
    field.append(legend);
    question.options.forEach((option, position) => {
      const label = document.createElement("label");
      const input = document.createElement("input");
      input.type = "radio";
      input.name = `question-${depth}`;
      input.value = position;
      input.checked = choices[depth] === position;
      input.addEventListener("change", () => {
        choices = [...choices.slice(0, depth), position];
        history.replaceState(null, "", `#guide=${choices.join(".")}`);
        follow(depth + 1);
      });
      label.append(input, ` ${option.text}`);
      field.append(label);
    });
    form.append(field);
  }

  // Questions up to a depth stay as they are: the keyboard keeps its place in them.
  function follow(from) {
    while (form.children.length > from) form.lastElementChild.remove();
    let question = first;
    let answer = null;
    for (let depth = 0; question; depth += 1) {
      if (depth >= from) ask(question, depth);
      const option = question.options[choices[depth]];
      answer = option?.answer;
      question = option?.question;
    }
    for (const box of answers.children) box.classList.toggle("shown", box.id === `guide-${answer}`);
  }

  function fromAddress() {
    const stored = /^#guide=([\d.]+)$/.exec(location.hash);
    if (stored) choices = stored[1].split(".").map(Number);
    follow(0);
    form.hidden = false;
    if (stored) form.scrollIntoView();
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", fromAddress);
  fromAddress();
});
