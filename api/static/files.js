// What a finished job left: files to fetch, and the report on the finished video.

import { h } from "./dom.js";
import { bytes } from "./format.js";
import { get } from "./http.js";

export function filesPanel(job) {
  if (!job.files.length) return null;
  return h("section.panel", {}, h("h2", {}, "Files"), h("ul.files", {}, job.files.map((file) => h("li", {},
    h("a", { href: file.url, download: file.name }, file.name),
    file.name === "manifest.json" ? h("span.muted", {}, "inputs, providers, versions, hashes") : null,
    h("span.muted.num", {}, bytes(file.size))))));
}

export async function reportPanel(job) {
  const file = job.files.find((found) => found.name === "report.json");
  const report = file && await get(file.url).catch(() => null);
  if (!report?.checks?.length) return null;
  const passed = report.checks.filter((check) => check.passed).length;
  return h("section.panel", {},
    h("div.panel-head", {}, h("h2", {}, "Report"), h("p.muted", {}, `${passed} of ${report.checks.length} checks passed`)),
    h("ul.checks", {}, report.checks.map((check) => h(`li.${check.passed ? "is-passed" : "is-missed"}`, {},
      h("span.unseen", {}, check.passed ? "passed: " : "missed: "), h("span", {}, readable(check.name)),
      h("span.num", {}, shown(check), limitOf(check))))));
}

const readable = (name) => String(name).replaceAll("_", " ");

// What it was held to, which also names the unit; nothing where it can only be what it is.
function limitOf(check) {
  const told = check.expected;
  return typeof told === "string" && told !== check.measured && told !== "any" ? h("span.sub", {}, told) : null;
}

function shown(check) {
  const value = check.measured ?? check.value;
  if (value === null || value === undefined) return "";
  if (check.name === "file size") return bytes(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return `${Math.round(value * 100) / 100}`;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
