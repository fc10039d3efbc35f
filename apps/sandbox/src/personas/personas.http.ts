import { sendPage } from '../pages.http.js';
import { HttpProblem, sendJson, type PageRouter } from '../web.js';
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
      if (calls === null) throw new HttpProblem(404, 'unknown_persona', 'Nobody of this name is played here.');
      sendJson(res, 200, calls);
    });
}
