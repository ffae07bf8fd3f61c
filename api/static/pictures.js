// Pictures of a new job: uploaded as soon as they are chosen, shown, and taken away again.

import { h } from "./dom.js";
import { post } from "./http.js";

const MOST = 8;

export function picturesField() {
  const kept = new Map();
  const wrong = h("p.field-error", { id: "images-error", role: "alert" });
  const shown = h("ul.pictures");
  const input = h("input", {
    type: "file", id: "images", multiple: true, accept: "image/png,image/jpeg,image/webp",
    "aria-describedby": "images-error images-hint", onchange: () => take([...input.files]),
  });

  async function take(files) {
    wrong.textContent = "";
    for (const file of files) {
      if (kept.size >= MOST) {
        wrong.textContent = `At most ${MOST} pictures.`;
        break;
      }
      try {
        const form = new FormData();
        form.append("file", file);
        const done = await post("/uploads", form);
        if (!kept.has(done.reference)) add(done, file.name, await preview(file));
      } catch (error) {
        wrong.textContent = `${file.name}: ${error.message}`;
      }
    }
    input.value = "";
  }

  function add(done, name, source) {
    const remove = h("button.plain", {
      type: "button", "aria-label": `Take ${name} away`,
      onclick: () => { kept.delete(done.reference); item.remove(); input.focus(); },
    }, "Remove");
    const item = h("li", {}, h("img", { src: source, alt: name }),
      h("small.muted", {}, `${done.width} × ${done.height}`), remove);
    kept.set(done.reference, item);
    shown.append(item);
  }

  return {
    node: h("div.field", {}, h("label", { for: "images" }, "Pictures", h("small", {}, " optional")), input,
      h("p.hint", { id: "images-hint" }, "PNG, JPEG or WebP, up to 25 MB each; a cut-out on transparent ground looks best."),
      wrong, shown),
    payload: () => (kept.size ? { images: [...kept.keys()] } : {}),
  };
}

// A data: address, since the page's policy allows no blob: one.
const preview = (file) => new Promise((done, failed) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result);
  reader.onerror = () => failed(new Error("cannot be read"));
  reader.readAsDataURL(file);
});
