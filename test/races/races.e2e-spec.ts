import { describeRaces } from './describe-races.js';

describeRaces({ requests: 50, submitters: 8, consumers: 16 });
