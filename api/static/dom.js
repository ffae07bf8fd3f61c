// Building the page: elements, and the few parts that several pages share.

// h("a.name", {href, onclick, "aria-label"}, children...): text is never read as markup.
export function h(what, props = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(" ");
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, props = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export const badge = (state) => h(`span.badge.is-${state}`, {}, state);

// A bar that `move` moves; `label` is what it is the progress of.
export function progressBar(percent, label) {
  const fill = h("span.fill");
  const bar = h("span.bar", {
    role: "progressbar", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100,
  }, fill);
  const figure = h("span.percent", { "aria-hidden": "true" });
  const node = h("span.progress", {}, bar, figure);
  node.move = (value) => {
    bar.setAttribute("aria-valuenow", value);
    fill.style.width = `${value}%`;
    figure.textContent = `${value} %`;
  };
  node.move(percent);
  return node;
}

// A table; each row is a list of cells, and names its columns for narrow screens.
export function table(caption, heads, rows, whenEmpty, cards = heads.length > 4) {
  if (!rows.length) return h("p.empty", {}, whenEmpty);
  const labels = heads.map((head) => (typeof head === "string" ? head : head.label));
  const numeric = heads.map((head) => (typeof head === "string" ? "" : "num"));
  return h("div.scroll", { role: "region", "aria-label": caption, tabindex: "0" },
    h(cards ? "table.cards" : "table", {},
      h("caption.unseen", {}, caption),
      h("thead", {}, h("tr", {}, labels.map((label, i) =>
        h("th", { scope: "col", class: numeric[i] || null }, label)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell, i) =>
        h("td", { class: numeric[i] || null, "data-head": labels[i] }, cell)))))));
}

export const heading = (title, ...beside) =>
  h("header.page-head", {}, h("h1", { tabindex: "-1", dir: "auto" }, title), h("div.beside", {}, beside));

export const figure = (label, value, note) =>
  h("div.figure", {}, h("dt", {}, label), h("dd", {}, value, note ? h("small", {}, note) : null));

let timer = 0;

// A short message that screen readers speak and that goes by itself.
export function say(text, kind = "good") {
  const place = document.getElementById("said");
  place.textContent = text;
  place.className = `is-shown is-${kind}`;
  clearTimeout(timer);
  timer = setTimeout(() => { place.className = ""; place.textContent = ""; }, 5000);
}
