// The finished video with its captions, and every other cut of it to choose.

import { h } from "./dom.js";

export function videoPanel(job) {
  const links = new Map(job.files.map((file) => [file.name, file.url]));
  const cuts = cutsOf(job).filter((cut) => links.has(cut.files["video.mp4"]));
  if (!cuts.length) return null;
  const place = h("div.player");
  const show = (cut) => place.replaceChildren(player(job, cut, links));
  show(cuts[0]);
  const choice = cuts.length > 1 ? h("fieldset.cuts", {}, h("legend.unseen", {}, "Cuts"), cuts.map((cut, i) =>
    h("label.cut", {}, h("input", { type: "radio", name: "cut", checked: i === 0, onchange: () => show(cut) }),
      h("span", {}, nameOf(cut, cuts))))) : null;
  return h("section", { "aria-label": "Video" }, place, choice);
}

// Of each cut the files under their plain names; a job of one cut may list none.
function cutsOf(job) {
  if (job.result?.cuts?.length) return job.result.cuts;
  const names = ["video.mp4", "poster.jpg", "captions.vtt"];
  return job.result ? [{ frame: job.result.frame, files: Object.fromEntries(names.map((name) => [name, name])) }] : [];
}

function player(job, cut, links) {
  const link = (name) => links.get(cut.files[name]);
  const video = h("video", {
    controls: true, preload: "metadata", playsinline: true, poster: link("poster.jpg"),
    src: link("video.mp4"), "aria-label": `Video of ${job.product_name}`,
  });
  if (link("captions.vtt")) {
    const language = job.payload.language || "en";
    video.append(h("track", { kind: "captions", src: link("captions.vtt"), srclang: language, label: `Captions (${language})` }));
  }
  const [wide, high] = (cut.frame || "9:16").split(":").map(Number);
  if (wide && high) video.style.aspectRatio = `${wide} / ${high}`;
  return video;
}

function nameOf(cut, cuts) {
  const parts = [cut.frame];
  if (cuts.some((other) => other.hook !== cut.hook)) parts.push(`hook ${cut.hook}`);
  if (cuts.some((other) => other.cta !== cut.cta)) parts.push(`button ${cut.cta}`);
  return parts.join(", ");
}
