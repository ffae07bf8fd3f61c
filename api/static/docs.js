// The API's page: Swagger UI in the dashboard's colours. No module, so the colours are set before
// the first paint.
"use strict";

(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => {
    const dark = root.dataset.theme === "dark" || (!root.dataset.theme && system.matches);
    root.classList.toggle("dark-mode", dark);
  };
  new MutationObserver(paint).observe(root, { attributeFilter: ["data-theme"] });
  system.addEventListener("change", paint);
  paint();

  document.addEventListener("DOMContentLoaded", () => {
    SwaggerUIBundle({
      url: "/openapi.json",
      dom_id: "#docs",
      deepLinking: true,
      displayRequestDuration: true,
      defaultModelsExpandDepth: 0,
      // A token typed here is forgotten with the page: no script shall find it later.
      persistAuthorization: false,
      // Else it would be sent to a checker elsewhere.
      validatorUrl: null,
    });
  });
})();
