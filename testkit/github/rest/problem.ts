/** A refusal in the shape of GitHub's error answers. */

export interface FieldError {
  resource?: string;
  field?: string;
  code: string;
  message?: string;
}

/** Thrown by any handler; the server turns it into the answer. */
export class HttpProblem extends Error {
  readonly status: number;
  /** Sentences where the route is made of GraphQL inside, as that of reviews is. */
  readonly errors: FieldError[] | string[] | undefined;

  constructor(status: number, message: string, errors?: FieldError[] | string[]) {
    super(message);
    this.status = status;
    this.errors = errors;
  }

  /** The JSON body that GitHub sends. */
  body(): Record<string, unknown> {
    return {
      message: this.message,
      ...(this.errors ? { errors: this.errors } : {}),
      documentation_url: 'https://docs.github.com/rest',
      status: String(this.status),
    };
  }
}

export function notFound(): HttpProblem {
  return new HttpProblem(404, 'Not Found');
}

/** 422 with the field that is wrong. */
export function invalid(resource: string, field: string, code: string, message?: string): HttpProblem {
  return new HttpProblem(422, 'Validation Failed', [
    { resource, field, code, ...(message ? { message } : {}) },
  ]);
}

/** GitHub's longest body of a comment, review, issue or pull request, in characters. */
const longestBody = 65_536;

/** @throws HttpProblem 422 as GitHub does for a longer body. */
export function checkBodyLength(resource: string, body: unknown): void {
  if (typeof body !== 'string' || body.length <= longestBody) return;
  throw invalid(resource, 'body', 'unprocessable', `body is too long (maximum is ${longestBody} characters)`);
}
