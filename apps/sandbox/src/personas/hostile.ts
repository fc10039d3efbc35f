import { standard } from './personas.js';
import type { Persona } from './persona.js';

/** Behaves, until a client id or a hint names a misbehaviour; `/as` lists them. */
export const hostile: Persona = {
  ...standard,
  name: 'hostile',
  title: 'A hostile provider',
  deliveryModes: ['poll'],
  polling: { ...standard.polling, intervalSeconds: 1 },
  peculiarities: [],
};
