;; attack: Asks for 2^32 - 1 pages, which added to the present size wraps around to less.
;; want: memory|trap|fuel
;; in: scan alloc init _initialize start

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $attack
  (if (i32.ne (memory.grow (i32.const -1)) (i32.const -1)) (then (loop $again (br $again))))
  (unreachable))
