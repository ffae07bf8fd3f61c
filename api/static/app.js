// The frame around the pages: login, routes by the address's fragment, the stream's state.

import { h, heading, say } from "./dom.js";
import { forgetAway, get, post, session } from "./http.js";
import { stop, whenChanged } from "./live.js";
import { loginPage } from "./login.js";

const PAGES = {
  overview: () => import("./overview.js"),
  jobs: () => import("./jobs.js"),
  job: () => import("./job.js"),
  new: () => import("./new.js"),
  workers: () => import("./workers.js"),
  dead: () => import("./dead.js"),
  schedules: () => import("./schedules.js"),
  costs: () => import("./costs.js"),
};
const LIVE = { live: "Live", waiting: "Connecting", off: "" };
const main = document.getElementById("main");
let caller = null;
let leave = new AbortController();
let turn = 0;
let retry = 0;
const RETRY_MS = 5000;

export const may = (role) => {
  const ranks = ["read", "submit", "operate"];
  return ranks.indexOf(caller?.role) >= ranks.indexOf(role);
};

function place() {
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("?")[0].split("/");
  if (name === "jobs" && rest[0]) return ["job", decodeURIComponent(rest.join("/"))];
  return [name || "overview", null];
}

async function show() {
  if (!caller) return;
  const [name, id] = place();
  const mine = ++turn;
  leave.abort();
  leave = new AbortController();
  stop();
  clearTimeout(retry);
  forgetAway();
  document.querySelectorAll("nav a").forEach((link) => {
    const here = link.dataset.page === (name === "job" ? "jobs" : name);
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  });
  const page = h("div.page");
  try {
    if (!PAGES[name]) throw new Error("There is no such page.");
    const { render } = await PAGES[name]();
    if (mine !== turn) return;
    await render(page, { id, may, tenant: caller.tenant, signal: leave.signal });
  } catch (error) {
    page.replaceChildren(heading("Nothing to show"), h("p.wrong", {}, error.message));
    // 0 and 503: a server is away, and will be back.
    if (mine === turn && (error.status === 0 || error.status === 503)) {
      forgetAway();
      page.append(h("p.again", {}, h("button.button", { type: "button", onclick: show }, "Try again")));
      retry = setTimeout(show, RETRY_MS);
    }
  }
  if (mine !== turn || !caller) return;
  main.replaceChildren(page);
  const title = page.querySelector("h1");
  document.title = `${title?.textContent || "Video worker"} – Video worker`;
  title?.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function enter(found) {
  caller = found;
  document.getElementById("top").hidden = false;
  document.getElementById("new").hidden = !may("submit");
  // Background jobs are the installation's own, not a tenant's.
  document.getElementById("schedules").hidden = Boolean(found.tenant);
  show();
}

function leaveAll() {
  caller = null;
  turn += 1;
  leave.abort();
  stop();
  clearTimeout(retry);
  forgetAway();
  document.getElementById("top").hidden = true;
  document.title = "Log in – Video worker";
  main.replaceChildren(loginPage(enter));
}

async function start() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    // At once: neither the history nor a shared screen keeps it.
    history.replaceState(null, "", location.pathname);
    await post("/login", { token: given }).catch((error) => say(error.message, "bad"));
  }
  session.ended = leaveAll;
  // Asked without a cookie this is a 401, which the console would call an error.
  const known = await get("/session").catch(() => null);
  if (known?.role) enter(known);
  else leaveAll();
}

session.away = (problem) => {
  const banner = document.getElementById("away");
  banner.hidden = !problem || !caller;
  banner.textContent = problem
    ? `${problem.replace(/([^.?!])$/, "$1.")} What is shown may be old.` : "";
};
whenChanged((state) => {
  const mark = document.getElementById("live");
  mark.className = `live is-${state}`;
  mark.textContent = LIVE[state];
});
addEventListener("hashchange", () => {
  if (location.hash.startsWith("#token=")) start();
  else if (location.hash !== "#main") show();
});
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
document.getElementById("logout").addEventListener("click", async () => {
  await post("/logout").catch(() => null);
  leaveAll();
});
start();
