/** How an amount of US dollars is shown. */

/** `0.0123` → `$0.01`; small amounts keep two significant digits. */
export function dollars(amount: number): string {
  if (amount >= 0.01 || amount === 0) return `$${amount.toFixed(2)}`;
  return amount < 0.0001 ? '<$0.0001' : `$${Number(amount.toPrecision(2))}`;
}
