/** The values that a job's log must not show, and their replacement by `***`. */

export class Masks {
  /** As they were added, in order. */
  readonly values: string[] = [];
  private pattern: RegExp | null = null;

  /** A value of several lines is masked as a whole and line by line, because logs arrive in lines. */
  add(value: string): void {
    if (value.trim() === '' || this.values.includes(value)) return;
    this.values.push(value);
    const forms = this.values.flatMap((secret) => [secret, ...secret.split(/[\r\n]+/)]).flatMap(encodings);
    const unique = [...new Set(forms.filter((form) => form.trim() !== ''))];
    const longestFirst = unique
      .sort((a, b) => b.length - a.length)
      .map((form) => form.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&'));
    this.pattern = new RegExp(longestFirst.join('|'), 'g');
  }

  apply(text: string): string {
    return this.pattern ? text.replace(this.pattern, '***') : text;
  }
}

/** GitHub's runner also recognises a secret that was escaped or put into base64 with something before it. */
function encodings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].map((shift) => {
    const length = Math.floor((bytes.length - shift) / 3) * 3;
    return bytes.subarray(shift, shift + length).toString('base64');
  });
  const longEnough = base64.filter((form) => form.length >= 8);
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), ...longEnough];
}
