// Our `./x.js` is `./x.ts` in tests; packages in node_modules keep their own names.
module.exports = (request, options) => {
  if (/^\..*\.js$/.test(request) && !options.basedir.includes('node_modules')) {
    try {
      return options.defaultResolver(`${request.slice(0, -3)}.ts`, options);
    } catch {
      // A real .js file: resolved below.
    }
  }
  return options.defaultResolver(request, options);
};
