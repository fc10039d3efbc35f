import { encodingsOf } from '../canaries.js';
import { Findings, type Invariant } from '../judgement.js';

/** I25. No canary stands in logs, webhooks, events, plain columns or answers, in whichever spelling. */
export const noSecretShows: Invariant = {
  id: 'I25',
  claim: 'no secret shows in logs, deliveries, events, columns or answers',
  judge: ({ recorded }) => {
    const findings = new Findings();
    const needles = Object.entries(recorded.run.canaries).flatMap(([name, values]) =>
      [values].flat().flatMap((value) => encodingsOf(value).map(({ encoding, bytes }) => ({ name, encoding, bytes }))),
    );
    const longest = needles.reduce((most, { bytes }) => Math.max(most, bytes.length), 0);
    for (const artefact of recorded.artefacts) {
      const found = new Set<string>();
      for (const piece of artefact.pieces(longest)) {
        for (const { name, encoding, bytes } of needles) {
          // A rule may release an access token to whoever consumes the approval: an answer may show it.
          if (artefact.name === 'answers' && /access_?token/i.test(name)) continue;
          if (piece.includes(bytes)) found.add(`${name} (${encoding})`);
        }
      }
      findings.checked += needles.length;
      for (const what of found) findings.violations.push({ about: artefact.name, what: `shows ${what}` });
    }
    return findings;
  },
};
