/** A thing that the sample shop sells; prices are in cents, and only the server's prices count. */
export interface Article {
  readonly sku: string;
  readonly priceCents: number;
}

export interface BasketLine {
  readonly sku: string;
  readonly quantity: number;
}

export const PAYEE = 'Alder & Finch';
export const CURRENCY = 'EUR';

const MAX_QUANTITY = 9;

export const catalogue: readonly Article[] = [
  { sku: 'pour-over-kettle', priceCents: 5900 },
  { sku: 'stoneware-cups', priceCents: 2450 },
  { sku: 'house-blend', priceCents: 1475 },
];

/** What the basket costs, or null when it is empty or holds something that is not for sale. */
export function priceOf(lines: readonly BasketLine[]): number | null {
  let cents = 0;
  for (const { sku, quantity } of lines) {
    const article = catalogue.find((candidate) => candidate.sku === sku);
    if (!article || !Number.isInteger(quantity) || quantity < 0 || quantity > MAX_QUANTITY) return null;
    cents += article.priceCents * quantity;
  }
  return cents > 0 ? cents : null;
}

/** Two decimals and the currency: `112.75 EUR`. */
export function formatAmount(cents: number): string {
  return `${(cents / 100).toFixed(2)} ${CURRENCY}`;
}
