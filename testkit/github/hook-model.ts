/** Webhooks as the local GitHub remembers them. */

export interface Hook {
  id: number;
  url: string;
  secret: string | null;
  events: string[];
  active: boolean;
  /** ISO 8601. */
  createdAt: string;
}
