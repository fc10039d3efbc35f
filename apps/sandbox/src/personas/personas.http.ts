import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendPage } from '../pages.http.js';
import { HttpProblem, sendJson, sendProblem, type PageRouter } from '../web.js';
import type { PersonaHouse } from './persona-house.js';

/** What is played here, as a page and for scripts, and what was called lately. */
export function addPersonaRoutes(router: PageRouter, house: PersonaHouse): void {
  router
    .get('/as', ({ req, res }) => {
      if (req.headers.accept?.includes('text/html')) sendPage(res, 'personas.html');
      else sendJson(res, 200, house.describe());
    })
    .get('/as.json', ({ res }) => sendJson(res, 200, house.describe()))
    .get('/as/:persona/calls', ({ res, params }) => {
      const calls = house.calls(params.persona ?? '');
      if (calls === null) throw unknownPersona(house);
      sendJson(res, 200, calls);
    });
}

/** Answers a call under `/as/` that nobody takes with what there is, and says true; false when it is not under `/as/`. */
export function refuseUnderPersonas(house: PersonaHouse, { url }: IncomingMessage, res: ServerResponse): boolean {
  const [, persona] = /^\/as(?:\/([^/?]*))?(?:[/?]|$)/.exec(url ?? '') ?? [];
  if (persona === undefined) return false;
  sendProblem(res, house.calls(persona) === null ? unknownPersona(house) : unknownEndpoint(persona));
  return true;
}

const unknownPersona = (house: PersonaHouse): HttpProblem =>
  new HttpProblem(
    404,
    'unknown_persona',
    `Nobody of this name is played here. Issuers: ${house.issuers().join(', ')}.`,
  );

const unknownEndpoint = (persona: string): HttpProblem => {
  const paths = ['.well-known/openid-configuration', 'jwks', 'backchannel', 'token', 'calls'];
  const detail = `There is no such endpoint. GET or POST: ${paths.map((path) => `/as/${persona}/${path}`).join(', ')}.`;
  return new HttpProblem(404, 'unknown_endpoint', detail);
};
