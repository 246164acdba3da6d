// OHIF's configuration: this server's DICOMweb, and nothing else anywhere.
(() => {
  const dicomweb = `${window.location.origin}/dicom-web`;

  // Whose session is over signs in and comes back; many requests find that out at once.
  let leaving = false;
  function signInAgain() {
    if (leaving) return;
    leaving = true;
    const here = window.location.pathname + window.location.search;
    window.location.assign(`/auth/login?return_to=${encodeURIComponent(here)}`);
  }

  // OHIF shows a list that failed, or lacks an archive, as if it were whole. What the server says of it stands in a
  // bar at the bottom, until it is closed.
  const said = new Set();
  function tell(text) {
    if (said.has(text)) return;
    said.add(text);
    const bar = document.createElement("div");
    bar.setAttribute("role", "alert");
    bar.style.cssText =
      "position:fixed;left:0;right:0;bottom:0;z-index:9999;display:flex;gap:1em;justify-content:space-between;" +
      "padding:.5em 1em;background:#7a4b00;color:#fff;font:14px/1.4 sans-serif";
    const close = document.createElement("button");
    close.textContent = "Close";
    close.onclick = () => {
      said.delete(text);
      bar.remove();
    };
    bar.append(text, close);
    document.body.append(bar);
  }

  // `Warning: 299 agent "text"`: obsolete in HTTP, not in PS3.18.
  const WARNING = /\b299 \S+ "((?:[^"\\]|\\.)*)"/g;
  const SEARCH_OR_METADATA = /\/(?:studies|series|instances|metadata)(?:\?|$)/;
  function watch(request) {
    if (!request.responseURL.startsWith(`${dicomweb}/`)) return;
    if (request.status === 401) signInAgain();
    else if (request.status >= 400 && SEARCH_OR_METADATA.test(request.responseURL))
      tell(`The server could not tell of all images (${request.status}): what is shown here may be incomplete.`);
    for (const [, text] of (request.getResponseHeader("warning") ?? "").matchAll(WARNING))
      tell(`What is shown here is incomplete: ${text.replace(/\\(.)/g, "$1")}`);
  }
  const send = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function (...body) {
    this.addEventListener("load", () => watch(this));
    return send.apply(this, body);
  };

  // OHIF asks for its viewer of slides so; build.mjs leaves that out.
  window.browserImportFunction = async (name) => {
    tell("Whole slide images cannot be shown in this viewer.");
    throw new Error(`${name} is not part of this viewer`);
  };

  window.config = {
    name: "ernfed",
    routerBasename: "/viewer",
    extensions: [],
    modes: [],
    customizationService: [{ "ohif.tours": { $set: [] } }], // a guided tour would lie over the first image
    whiteLabeling: {
      createLogoComponentFn: (React) =>
        React.createElement("a", { href: "/", style: { color: "#fff", fontSize: "18px" } }, "ernfed"),
    },
    showStudyList: true,
    maxNumberOfWebWorkers: 3,
    showWarningMessageForCrossOrigin: false,
    showCPUFallbackMessage: true,
    showLoadingIndicator: true,
    strictZSpacingForVolumeViewport: true,
    showErrorDetails: "production",
    // Browsers open six connections to a server of HTTP/1.1: what is looked at goes before what may be.
    maxNumRequests: { interaction: 20, thumbnail: 5, prefetch: 10 },
    defaultDataSourceName: "ernfed",
    dataSources: [
      {
        namespace: "@ohif/extension-default.dataSourcesModule.dicomweb",
        sourceName: "ernfed",
        configuration: {
          friendlyName: "ernfed",
          name: "ernfed",
          qidoRoot: dicomweb,
          wadoRoot: dicomweb,
          wadoUriRoot: dicomweb,
          qidoSupportsIncludeField: true,
          imageRendering: "wadors",
          thumbnailRendering: "wadors",
          enableStudyLazyLoad: true,
          supportsFuzzyMatching: true,
          supportsWildcard: true,
          supportsReject: false,
          dicomUploadEnabled: false,
          singlepart: "bulkdata,video,pdf",
          bulkDataURI: { enabled: true },
          omitQuotationForMultipartRequest: true,
        },
      },
    ],
  };
})();
