import { consoleRoutes, routes, type ConsoleRoute } from '#lib/contracts';

const known: readonly ConsoleRoute[] = [...routes, ...consoleRoutes];
const byPlace = new Map(known.map((route) => [placeOf(route.method, route.path), route]));

/** The contract's entry for a route as the HTTP server names it; undefined when the contract has none. */
export const contractRoute = (method: string, url: string): ConsoleRoute | undefined =>
  byPlace.get(placeOf(method, url));

// The server writes parameters as `:id` and the rest of a path as `*`, the contract as `{id}` and `{path}`; HEAD is a GET
// without the body (RFC 9110 §9.3.2).
function placeOf(method: string, url: string): string {
  return `${method === 'HEAD' ? 'GET' : method} ${url.replace(/:(\w+)/g, '{$1}').replace(/\*$/, '{path}')}`;
}
