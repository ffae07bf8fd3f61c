// The form of a new job; what the API refuses is shown at the field that it names.

import { h, heading, say } from "./dom.js";
import { post } from "./http.js";
import { picturesField } from "./pictures.js";

const STYLES = ["minimal", "bold", "luxury", "playful", "tech"];
const FRAMES = { "9:16": "Upright", "4:5": "Feed", "1:1": "Square", "16:9": "Wide" };

export async function render(page, { may }) {
  if (!may("submit")) {
    page.replaceChildren(heading("New job"), h("p.empty", {}, "This token may look, but not submit."));
    return;
  }
  const pictures = picturesField();
  const general = h("p.field-error.general", { role: "alert" });
  const button = h("button.button.primary", { type: "submit" }, "Make the video");
  const form = h("form.new", { novalidate: true, onsubmit: submit },
    h("section.panel", {}, h("h2", {}, "Product"),
      text("product_name", "Product name", { required: true, maxlength: 80 }),
      text("description", "Description", { maxlength: 600, rows: 2, hint: "Said and shown where it fits; nothing is made up." }),
      text("benefits", "Benefits", { rows: 3, hint: "One a line, at most eight." }),
      h("div.row", {}, text("price", "Price", { maxlength: 24, placeholder: "$29" }),
        text("old_price", "Old price", { maxlength: 24, placeholder: "$39" }),
        text("rating", "Rating", { inputmode: "decimal", placeholder: "0 to 5" })),
      pictures.node),
    h("div", {}, h("section.panel", {}, h("h2", {}, "Video"), stylePicker(),
      group("frames", "Frames", Object.entries(FRAMES).map(([frame, name], i) =>
        h("label.choice", {}, h("input", { type: "checkbox", name: "frames", value: frame, checked: i === 0 }),
          h("span", {}, `${name} `, h("small", {}, frame))))),
      h("div.row", {}, text("cta_text", "Button text", { maxlength: 40, value: "Shop now" }),
        text("duration_s", "Seconds", { type: "number", min: 6, max: 60, value: 15 })),
      group("captions", null, h("label.choice", {},
        h("input", { type: "checkbox", name: "captions", checked: true }), h("span", {}, "Captions in the picture")))),
    h("div.submit", {}, button, general)));
  page.replaceChildren(heading("New job"), form);

  async function submit(event) {
    event.preventDefault();
    form.querySelectorAll(".field-error").forEach((node) => { node.textContent = ""; });
    form.querySelectorAll("[aria-invalid]").forEach((node) => node.removeAttribute("aria-invalid"));
    button.disabled = true;
    try {
      const done = await post("/jobs", { ...payloadOf(form), ...pictures.payload() });
      say("The job is accepted.");
      location.hash = `#/jobs/${encodeURIComponent(done.job_id)}`;
    } catch (error) {
      showAt(form, general, error);
    } finally {
      button.disabled = false;
    }
  }
}

// Only what was given: what is left out has the API's own default.
function payloadOf(form) {
  const data = new FormData(form);
  const payload = { style: data.get("style"), frames: data.getAll("frames"), captions: data.has("captions") };
  for (const name of ["product_name", "description", "price", "old_price", "cta_text"]) {
    const value = data.get(name).trim();
    if (value) payload[name] = value;
  }
  for (const name of ["rating", "duration_s"]) {
    const value = data.get(name).trim().replace(",", ".");
    if (value) payload[name] = Number.isNaN(Number(value)) ? value : Number(value);
  }
  const benefits = data.get("benefits").split("\n").map((line) => line.trim()).filter(Boolean);
  if (benefits.length) payload.benefits = benefits;
  return payload;
}

// "benefits.2" is shown at "benefits"; what has no field of its own, beside the button.
function showAt(form, general, error) {
  const name = (error.field || "").split(".")[0];
  const place = form.querySelector(`#${CSS.escape(`${name}-error`)}`);
  (place || general).textContent = error.message;
  const input = place && form.querySelector(`[name="${CSS.escape(name)}"], #${CSS.escape(name)}`);
  input?.setAttribute("aria-invalid", "true");
  input?.focus();
}

function text(name, label, { hint, rows, ...more } = {}) {
  const described = hint ? `${name}-error ${name}-hint` : `${name}-error`;
  const props = { id: name, name, autocomplete: "off", dir: "auto", "aria-describedby": described, ...more };
  return h("div.field", {}, h("label", { for: name }, label, more.required ? null : h("small", {}, " optional")),
    rows ? h("textarea", { rows, ...props }) : h("input", { type: "text", ...props }),
    hint ? h("p.hint", { id: `${name}-hint` }, hint) : null,
    h("p.field-error", { id: `${name}-error`, role: "alert" }));
}

const group = (name, legend, children) => h("fieldset.field", { "aria-describedby": `${name}-error` },
  legend ? h("legend", {}, legend) : h("legend.unseen", {}, name), h("div.choices", {}, children),
  h("p.field-error", { id: `${name}-error`, role: "alert" }));

const stylePicker = () => group("style", "Style", STYLES.map((style, i) =>
  h("label.style", {}, h("input", { type: "radio", name: "style", value: style, checked: i === 0 }),
    h("img", { src: `/static/styles/${style}.jpg`, alt: "", width: 135, height: 240 }), h("span", {}, style))));
