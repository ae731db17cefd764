// The book's search: it ranks pages, shows the best section of each, and needs no server. The
// index (search-index.js) is loaded when somebody begins to search.

const bookSearch = (() => {
  const STOP = new Set(
    ("a an and are as at be by can do does for from has have how i in is it its my not of on or " +
      "should so than that the then there this to too use was what when where which why will " +
      "with without you your").split(" "),
  );
  const FIELD = { phrase: 60, keyword: 9, title: 10, heading: 5, text: 1 };
  let index = null;
  let loading = null;

  // As `words` of tools/search_index.py.
  function plain(word) {
    if (word.length > 4 && word.endsWith("ies")) return word.slice(0, -3) + "y";
    if (word.length > 3 && /s$/.test(word) && !/(ss|us|is)$/.test(word)) return word.slice(0, -1);
    return word;
  }
  const words = (text) =>
    (text.toLowerCase().replaceAll("’", "").match(/[\p{L}\p{N}]+/gu) ?? []).map(plain);

  function asked(query) {
    const all = words(query);
    const telling = all.filter((word) => !STOP.has(word));
    return telling.length ? telling : all;
  }

  // How well a word of a text answers a word of the query: the last one may be half typed.
  const fits = (word, term, last) =>
    word === term ? 1 : last && term.length > 2 && word.startsWith(term) ? 0.6 : 0;

  const best = (candidates, term, last) =>
    Math.max(0, ...candidates.map((word) => fits(word, term, last)));

  // What the text of each section adds for a term, by page and section.
  function inText(term, last) {
    const found = new Map();
    const matching = index.words[term]
      ? [term]
      : last && term.length > 2
        ? Object.keys(index.words).filter((word) => word.startsWith(term))
        : [];
    for (const word of matching) {
      const list = index.words[word];
      const pages = new Set();
      for (let i = 0; i < list.length; i += 3) pages.add(list[i]);
      const rare = Math.log(1 + index.pages.length / pages.size);
      for (let i = 0; i < list.length; i += 3) {
        const key = `${list[i]} ${list[i + 1]}`;
        found.set(key, (found.get(key) ?? 0) + rare * Math.log(1 + list[i + 2]));
      }
    }
    return found;
  }

  function search(query, most = 10) {
    const terms = asked(query);
    if (!index || !terms.length) return [];
    const texts = terms.map((term, i) => inText(term, i === terms.length - 1));
    const whole = words(query).join(" ");
    const results = index.pages.map(([name, title, weight, phrases, sections], page) => {
      const titleWords = words(title);
      const keywords = phrases.flatMap(words);
      const perSection = sections.map(() => 0);
      let score = 0;
      let matched = 0;
      terms.forEach((term, i) => {
        const last = i === terms.length - 1;
        const inTitle = FIELD.title * best(titleWords, term, last);
        const inKeywords = FIELD.keyword * best(keywords, term, last);
        let inSections = 0;
        sections.forEach(([, heading], section) => {
          const inHeading = section ? FIELD.heading * best(words(heading), term, last) : 0;
          const text = FIELD.text * (texts[i].get(`${page} ${section}`) ?? 0);
          perSection[section] += 2 * inHeading + text;
          inSections = Math.max(inSections, inHeading + Math.min(text, 6));
        });
        const points = Math.max(inTitle, inKeywords) + inSections;
        if (points) matched += 1;
        score += points;
      });
      if (titleWords.join(" ") === whole) score += FIELD.phrase;
      for (const phrase of phrases) if (words(phrase).join(" ") === whole) score += FIELD.phrase;
      const section = perSection.indexOf(Math.max(...perSection));
      const [anchor, heading, snippet] = sections[section];
      return {
        page: name,
        title,
        heading: section ? heading : "",
        address: `${name}.html${section ? `#${anchor}` : ""}`,
        snippet: snippet || sections[0][2],
        score: score * weight * (matched / terms.length) ** 2,
        all: matched === terms.length,
      };
    });
    const found = results.filter((result) => result.score > 0);
    found.sort((a, b) => b.score - a.score || (a.page < b.page ? -1 : 1));
    const complete = found.filter((result) => result.all);
    return (complete.length ? complete : found).slice(0, most);
  }

  function load() {
    loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${root()}_static/search-index.js`;
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
    return loading;
  }

  const root = () => document.documentElement.dataset.content_root;

  function tell(words, output) {
    const status = document.createElement("p");
    status.className = "search-status";
    status.setAttribute("role", "status");
    status.textContent = words;
    output.replaceChildren(status);
  }

  function show(query, output) {
    output.replaceChildren();
    if (!query.trim()) return;
    const results = search(query);
    const found = results.length === 10 ? "The ten best pages" : `Pages found: ${results.length}`;
    tell(results.length ? found : "No page has these words. Try fewer, or other ones.", output);
    const list = document.createElement("ol");
    for (const result of results) {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = root() + result.address;
      link.textContent = result.heading ? `${result.title}: ${result.heading}` : result.title;
      const snippet = document.createElement("p");
      snippet.textContent = result.snippet;
      item.append(link, snippet);
      list.append(item);
    }
    output.append(list);
  }

  function attach(form) {
    const input = form.querySelector("input[name=q]");
    let output = document.querySelector("#search-results");
    if (!output) {
      output = document.createElement("section");
      output.id = "search-results";
      output.setAttribute("aria-label", "Search results");
      form.after(output);
    }
    const update = () =>
      load().then(
        () => show(input.value, output),
        () => tell("The index of the search could not be loaded. Try it again later.", output),
      );
    input.addEventListener("focus", load, { once: true });
    input.addEventListener("input", update);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      update().then(() => output.querySelector("a")?.focus());
    });
    input.value = new URLSearchParams(location.search).get("q") ?? "";
    if (input.value) update();
  }

  if (typeof document !== "undefined") {
    document.addEventListener("DOMContentLoaded", () => {
      document.querySelectorAll("form.bd-search").forEach(attach);
    });
  }

  return { search, setIndex: (data) => (index = data) };
})();
