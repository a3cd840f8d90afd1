/** Images in a text that was made safe to read: found, and given another address, by one rule. */

/** What `sanitise` leaves of an image: no alternative text in markdown, any attributes before `src` in HTML. */
const image = /(!\[\]\(<?|<img\b[^<>]*?\ssrc\s*=\s*["']?)(https?:\/\/[^\s"'<>()]+)/gi;

/** @param put the new address of an image; null leaves the old one. */
export function replaceImages(text: string, put: (address: string) => string | null): string {
  return text.replace(image, (whole, before: string, address: string) => {
    const now = put(address);
    return now === null ? whole : before + now;
  });
}

/** Addresses of all images, in the order of the text. */
export function imagesIn(text: string): string[] {
  return [...text.matchAll(image)].map(([, , address]) => address!);
}
