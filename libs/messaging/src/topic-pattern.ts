/** Whether a routing key fits a topic pattern: `*` stands for one word, `#` for any number of words, none included. */
export function topicMatches(pattern: string, routingKey: string): boolean {
  return wordsMatch(pattern.split('.'), routingKey.split('.'));
}

function wordsMatch(pattern: readonly string[], words: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return words.length === 0;
  if (first === '#') return words.some((_, skipped) => wordsMatch(rest, words.slice(skipped))) || wordsMatch(rest, []);
  if (words.length === 0) return false;
  return (first === '*' || first === words[0]) && wordsMatch(rest, words.slice(1));
}
