import Sequencer from '@jest/test-sequencer';

/** Whole systems first, pure tests last: what takes minutes must not begin when everything else is done. */
const kinds = [/chaos\.e2e-spec/, /\.e2e-spec/, /\.long-spec/, /\.int-spec/, /\.spec/];
const rank = ({ path }) => kinds.findIndex((kind) => kind.test(path));

export default class WholeSystemsFirst extends Sequencer {
  sort(tests) {
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
  }
}
