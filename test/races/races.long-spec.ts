import { describeRaces } from './describe-races.js';

describeRaces({ requests: 1_000, submitters: 32, consumers: 64 });
