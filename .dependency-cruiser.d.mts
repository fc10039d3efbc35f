declare const config: { readonly forbidden: ReadonlyArray<{ readonly name: string }> };
export default config;
