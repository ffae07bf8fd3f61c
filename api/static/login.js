// The login: a token for a cookie that no script can read.

import { h } from "./dom.js";
import { post } from "./http.js";

export function loginPage(entered) {
  const wrong = h("p.field-error", { id: "token-error", role: "alert" });
  const token = h("input", {
    id: "token", name: "token", type: "password", required: true,
    autocomplete: "current-password", "aria-describedby": "token-error token-hint",
  });
  const form = h("form.login", {
    onsubmit: async (event) => {
      event.preventDefault();
      wrong.textContent = "";
      try {
        entered(await post("/login", { token: token.value }));
      } catch (error) {
        wrong.textContent = error.message;
        token.setAttribute("aria-invalid", "true");
        token.focus();
      }
    },
  },
  h("h1", { tabindex: "-1" }, "Video worker"),
  h("p.hint", { id: "token-hint" }, "A token of API_TOKENS; or open the address that the server printed at its start."),
  h("label", { for: "token" }, "Token"), token, wrong,
  h("button.button.primary", { type: "submit" }, "Log in"));
  return form;
}
