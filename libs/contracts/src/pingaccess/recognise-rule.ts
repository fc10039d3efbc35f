import {
  clientIn,
  integerOf,
  listOf,
  memberLike,
  membersOf,
  textOf,
  type ExportedClient,
  type Members,
} from './export-shape.js';

/** What a one-time-authorization rule of PingAccess says, by the names that it has here. */
export interface RecognisedRule {
  readonly id: string;
  readonly name: string;
  readonly client: ExportedClient | null;
  readonly loginHintAttribute: string | null;
  readonly scopes: readonly string[];
  readonly requestedExpirySeconds: number | null;
  /** Ids of handlers. */
  readonly timeoutRejectionHandler: string | null;
  readonly denyRejectionHandler: string | null;
}

/**
 * Reads a rule. The class and the members of a one-time-authorization rule are not published, so it is known by its shape:
 * it has an OAuth client and names the attribute that becomes the login hint. A rule of the class that was given counts
 * whatever its shape. Null: it is a rule of another kind.
 */
export function recogniseRule(value: unknown, ruleClass: string | null): RecognisedRule | null {
  const rule = membersOf(value);
  const configuration = membersOf(rule['configuration']);
  const className = textOf(rule['className']) ?? '';
  const client = clientIn(configuration);
  const loginHintAttribute = memberLike(configuration, /login_?hint/i, attributeOf);
  const byShape = client !== null && loginHintAttribute !== null;
  const byClass =
    ruleClass !== null ? className === ruleClass || className.endsWith(`.${ruleClass}`) : /one_?time/i.test(className);
  if (!byShape && !byClass) return null;
  return {
    id: textOf(rule['id']) ?? '',
    name: textOf(rule['name']) ?? '',
    client,
    loginHintAttribute,
    scopes: memberLike(configuration, /scope/i, scopesOf) ?? [],
    requestedExpirySeconds: memberLike(configuration, /expir/i, expiryOf),
    timeoutRejectionHandler: memberLike(
      configuration,
      /time_?out.*(reject|handler)|(reject|handler).*time_?out/i,
      handlerOf,
    ),
    denyRejectionHandler: memberLike(
      configuration,
      /den(y|ied).*(reject|handler)|(reject|handler).*den(y|ied)/i,
      handlerOf,
    ),
  };
}

/** The name of an attribute: as a text, or in a member of an object, or the first entry of a list. */
function attributeOf(value: unknown): string | null {
  const direct = textOf(value);
  if (direct !== null) return direct;
  const [first] = listOf(value);
  if (first !== undefined) return attributeOf(first);
  return memberLike(membersOf(value), /name|attribute|value/i, textOf);
}

/** A list, or one text with blanks or commas between them; entries may be objects that hold one. */
function scopesOf(value: unknown): string[] | null {
  if (typeof value === 'string') return value.split(/[\s,]+/).filter((scope) => scope !== '');
  if (!Array.isArray(value)) return null;
  return listOf(value).flatMap(
    (entry) => textOf(entry) ?? memberLike(membersOf(entry), /scope|name|value/i, textOf) ?? [],
  );
}

// 0 and nothing mean that the provider decides.
const expiryOf = (value: unknown): number | null => integerOf(value) || null;

/** The id of a handler; 0 and nothing mean that none is chosen. */
function handlerOf(value: unknown): string | null {
  const members: Members = membersOf(value);
  const id = textOf(value) ?? textOf(members['id']);
  return id === null || id === '0' ? null : id;
}
