/** What Fastify tells of a route as it is registered. */
interface RegisteredRoute {
  /** With `:name` for what varies and `*` for anything. */
  readonly url: string;
  readonly method: string | readonly string[];
}

/** The routes that this process serves, by which a wrong method is told from a wrong address. */
export class RegisteredRoutes {
  readonly #routes: { readonly matches: RegExp; readonly methods: readonly string[] }[] = [];

  add({ url, method }: RegisteredRoute): void {
    const escaped = url.replace(/[.+^${}()|[\]\\?]/g, '\\$&');
    const source = escaped.replace(/:\w+/g, '[^/]+').replaceAll('*', '.*');
    this.#routes.push({ matches: new RegExp(`^${source}$`), methods: [method].flat() });
  }

  /** The methods that an address takes, in alphabetical order; none when there is nothing at it. */
  methodsAt(path: string): readonly string[] {
    const methods = this.#routes.filter(({ matches }) => matches.test(path)).flatMap((route) => route.methods);
    return [...new Set(methods)].sort();
  }
}
