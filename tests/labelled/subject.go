// SPDX-License-Identifier: MIT
// subject.go MODE SECONDS BYTES_PER_SECOND: leak: what is kept for good. saw: garbage, collected in turn.
// cache: kept up to a cap that is reached at 60% of the time.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

const size = 4096

var kept [][]byte

func block() []byte {
	b := make([]byte, size)
	for i := 0; i < size; i += 512 {
		b[i] = 1
	}
	return b
}

func main() {
	mode := os.Args[1]
	seconds, _ := strconv.ParseFloat(os.Args[2], 64)
	rate, _ := strconv.ParseFloat(os.Args[3], 64)
	start := time.Now()
	done := 0.0
	for {
		now := time.Since(start).Seconds()
		if now > seconds {
			break
		}
		for ; done < rate*now; done += size {
			b := block()
			if mode == "leak" || (mode == "cache" && float64(len(kept)*size) < rate*seconds*0.6) {
				kept = append(kept, b)
			} else if len(kept) > 0 {
				kept[int(done/size)%len(kept)] = b
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	fmt.Printf("bytes %.0f\n", done)
	time.Sleep(60 * time.Second)
	fmt.Fprintln(os.Stderr, len(kept))
}
