// Errors for programs (design: surface.md, "Errors everywhere").

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorJson, errorText } from '../../../src/pages/error-body.ts';

describe('errors for programs', () => {
  it('JSON has error, message and request_id', () => {
    assert.deepEqual(JSON.parse(errorJson({ code: 'not_found', message: 'Nothing "here".', requestId: 'r' })), {
      error: 'not_found',
      message: 'Nothing "here".',
      request_id: 'r',
    });
  });

  it('text is one line, whatever is in it', () => {
    assert.equal(
      errorText({ code: 'bad', message: 'a\r\nb\u001b[31m\u2028c\u0000d', requestId: 'r' }),
      'bad: a b [31m c d (request r)\n',
    );
  });
});
