// SPDX-License-Identifier: BSD-3-Clause
// The other end, with the npm package ws.
//
//   node peer.js serve [deflate]        an echo server; prints its port
//   node peer.js talk URL [deflate]     checks an echo server; prints a line per check

'use strict';

const assert = require('assert');
const { WebSocket, WebSocketServer } = require('ws');

const deflate = process.argv.includes('deflate');
const options = { perMessageDeflate: deflate ? { threshold: 0 } : false, maxPayload: 64 << 20 };

function serve() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  server.on('listening', () => console.log(server.address().port));
  server.on('connection', (socket) => {
    socket.on('error', (error) => console.error(error.message));
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
}

function open(url) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, options);
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

// The values of the socket's next event of that name.
function next(socket, name) {
  return new Promise((resolve, reject) => {
    const fail = (code) => reject(new Error(`closed with ${code}`));
    socket.once(name, (...values) => {
      socket.off('close', fail);
      resolve(values);
    });
    if (name !== 'close') socket.once('close', fail);
  });
}

async function closed(socket) {
  const [code] = await next(socket, 'close');
  return code;
}

async function echo(socket, data, binary) {
  socket.send(data, { binary });
  const [answer, isBinary] = await next(socket, 'message');
  assert.strictEqual(isBinary, binary);
  assert(Buffer.from(data).equals(answer), `${answer.length} other bytes`);
}

const checks = {
  async 'negotiates the extension as asked'(url) {
    const socket = await open(url);
    assert.strictEqual(socket.extensions, deflate ? 'permessage-deflate' : '');
    socket.close();
    await closed(socket);
  },

  async 'echoes text and binary of many sizes'(url) {
    const socket = await open(url);
    for (const size of [0, 1, 125, 126, 127, 128, 65535, 65536, 1 << 20, 5 << 20]) {
      await echo(socket, 'x'.repeat(size), false);
      await echo(socket, Buffer.alloc(size, 'äö\0'), true);
    }
    await echo(socket, 'κόσμε \u{1f600}', false);
    socket.close(1000);
    assert.strictEqual(await closed(socket), 1000);
  },

  async 'puts fragments together'(url) {
    const socket = await open(url);
    const parts = Array.from({ length: 50 }, (_, i) => `part ${i} é `);
    parts.forEach((part, i) => {
      socket.send(part, { fin: i === parts.length - 1 });
      if (i % 10 === 0) socket.ping(`between ${i}`);
    });
    const [answer] = await next(socket, 'message');
    assert.strictEqual(answer.toString(), parts.join(''));
    socket.terminate();
  },

  async 'answers pings with their bytes'(url) {
    const socket = await open(url);
    for (const data of ['', 'ping', 'x'.repeat(125)]) {
      socket.ping(data);
      const [answer] = await next(socket, 'pong');
      assert.strictEqual(answer.toString(), data);
    }
    socket.terminate();
  },

  async 'answers close codes'(url) {
    for (const code of [1000, 1001, 1003, 1008, 1011, 3000, 4999]) {
      const socket = await open(url);
      socket.close(code, 'reason ☂');
      assert.strictEqual(await closed(socket), code);
    }
    const socket = await open(url);
    socket.close();
    assert.strictEqual(await closed(socket), 1005);
  },

  async 'closes with the code it is told'(url) {
    for (const code of [1000, 1001, 1013, 4000]) {
      const socket = await open(url);
      socket.send(`close ${code}`);
      assert.strictEqual(await closed(socket), code);
    }
  },

  async 'refuses text that is not UTF-8'(url) {
    const socket = await open(url);
    socket.send(Buffer.from([0x61, 0xff]), { binary: false });
    assert.strictEqual(await closed(socket), 1007);
  },

  async 'refuses messages above the limit'(url) {
    const socket = await open(url);
    socket.on('error', () => {});
    socket.send(Buffer.alloc((10 << 20) + 1), { binary: true });
    assert.strictEqual(await closed(socket), 1009);
  },

  async 'serves many at once'(url) {
    await Promise.all(Array.from({ length: 200 }, async (_, i) => {
      const socket = await open(url);
      for (let k = 0; k < 20; k++) await echo(socket, `${i} says ${k} `.repeat(k * 10 + 1), false);
      socket.close();
      await closed(socket);
    }));
  },
};

async function talk(url) {
  let failed = 0;
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check(url);
      console.log(`ok ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name}: ${error.stack}`);
    }
  }
  process.exit(failed ? 1 : 0);
}

if (process.argv[2] === 'serve') serve();
else talk(process.argv[3]);
