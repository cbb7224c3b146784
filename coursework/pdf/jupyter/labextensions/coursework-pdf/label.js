// JupyterLab's export menu calls an exporter by its entry point: "Typstpdf". It knows no other name.
// This extension shows "PDF (Typst)" instead. It is loaded as it stands, so nothing has to be built.
const FORMAT = "typstpdf";
const LABEL = "PDF (Typst)";

const plugin = {
  id: "coursework-pdf:label",
  autoStart: true,
  activate: ({ serviceManager }) => {
    const nbconvert = serviceManager.nbconvert;
    // Releases without this function would ask the server for the label.
    if (!nbconvert?.exportAs) return;
    const getExportFormats = nbconvert.getExportFormats.bind(nbconvert);
    const exportAs = nbconvert.exportAs.bind(nbconvert);
    nbconvert.getExportFormats = async (force) => {
      const { [FORMAT]: ours, ...others } = await getExportFormats(force);
      return ours ? { ...others, [LABEL]: ours } : others;
    };
    nbconvert.exportAs = (options) =>
      exportAs(options.format === LABEL ? { ...options, format: FORMAT } : options);
  },
};

window._JUPYTERLAB["coursework-pdf"] = {
  init: () => {},
  get: async () => () => ({ __esModule: true, default: plugin }),
};
