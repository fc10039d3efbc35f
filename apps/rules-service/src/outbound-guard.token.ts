/** Injection token of the process's outbound guard (an interface, which Nest cannot inject by its type). */
export const outboundGuard = Symbol('outbound guard');
