// SPDX-License-Identifier: MIT
// Subject.java MODE SECONDS BYTES_PER_SECOND: list, direct: leak. flat: a constant live set, up to -Xmx.
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

public class Subject {
    static final List<Object> kept = new ArrayList<>();

    public static void main(String[] args) throws Exception {
        final String mode = args[0];
        final double seconds = Double.parseDouble(args[1]), rate = Double.parseDouble(args[2]);
        final long start = System.nanoTime();
        long done = 0;
        int at = 0;
        while (true) {
            final double now = (System.nanoTime() - start) / 1e9;
            if (now > seconds) break;
            while (!mode.equals("flat") && done < rate * now) {
                if (mode.equals("list")) {
                    kept.add(new byte[4080]);
                    done += 4096;
                } else {
                    final ByteBuffer b = ByteBuffer.allocateDirect(65536);
                    for (int i = 0; i < 65536; i += 4096) b.put(i, (byte) 1);
                    kept.add(b);
                    done += 65536;
                }
            }
            if (mode.equals("flat")) {
                for (int i = 0; i < rate / 10 / 4096; i++) {
                    final byte[] b = new byte[4080];
                    if (kept.size() < 4000) kept.add(b);
                    else kept.set(at = (at + 1) % 4000, b);
                }
            }
            Thread.sleep(100);
        }
        System.out.println("bytes " + done);
        System.out.flush();
        Thread.sleep(60000);
    }
}
