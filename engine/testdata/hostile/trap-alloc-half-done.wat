;; attack: Allocation that grows the memory, writes to it and then traps.
;; want: trap
;; in: alloc init

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $attack
  (drop (memory.grow (i32.const 4)))
  (memory.fill (i32.const 131072) (i32.const 170) (i32.const 262144))
  (unreachable))
