// SPDX-License-Identifier: MIT
// subject.js MODE SECONDS BYTES_PER_SECOND: closure, buffer: leak. saw: garbage, collected in turn.
'use strict';
const [mode, seconds, rate] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const kept = [];
const start = Date.now();
let done = 0;
function step() {
  const now = (Date.now() - start) / 1000;
  if (now > seconds) return finish();
  while (mode !== 'saw' && done < rate * now) {
    if (mode === 'closure') {
      const a = new Array(250).fill(Math.random());
      kept.push(() => a.length);
      done += 250 * 8 + 120;
    } else {
      kept.push(Buffer.alloc(65536, 1));
      done += 65536;
    }
  }
  if (mode === 'saw') {
    let last = null;
    for (let i = 0; i < rate / 10 / 1000; i++) last = { data: new Array(100).fill(i), last: null };
    kept[0] = last;
  }
  setTimeout(step, 100);
}
function finish() {
  console.log('bytes ' + done);
  setTimeout(() => kept.length, 60000);
}
step();
