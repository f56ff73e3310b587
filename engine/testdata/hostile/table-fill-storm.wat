;; attack: Loop-free: a billion times table.fill over 4,096 elements.
;; want: fuel|deadline
;; in: scan alloc init _initialize start

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(table $t 4096 funcref)
(func $f0
  (table.fill $t (i32.const 0) (ref.null func) (i32.const 4096))
  (table.fill $t (i32.const 0) (ref.null func) (i32.const 4096))
  (table.fill $t (i32.const 0) (ref.null func) (i32.const 4096))
  (table.fill $t (i32.const 0) (ref.null func) (i32.const 4096))
  (table.fill $t (i32.const 0) (ref.null func) (i32.const 4096))
  (table.fill $t (i32.const 0) (ref.null func) (i32.const 4096))
  (table.fill $t (i32.const 0) (ref.null func) (i32.const 4096))
  (table.fill $t (i32.const 0) (ref.null func) (i32.const 4096))
  (table.fill $t (i32.const 0) (ref.null func) (i32.const 4096))
  (table.fill $t (i32.const 0) (ref.null func) (i32.const 4096)))
(func $f1
  (call $f0) (call $f0) (call $f0) (call $f0) (call $f0)
  (call $f0) (call $f0) (call $f0) (call $f0) (call $f0))
(func $f2
  (call $f1) (call $f1) (call $f1) (call $f1) (call $f1)
  (call $f1) (call $f1) (call $f1) (call $f1) (call $f1))
(func $f3
  (call $f2) (call $f2) (call $f2) (call $f2) (call $f2)
  (call $f2) (call $f2) (call $f2) (call $f2) (call $f2))
(func $f4
  (call $f3) (call $f3) (call $f3) (call $f3) (call $f3)
  (call $f3) (call $f3) (call $f3) (call $f3) (call $f3))
(func $f5
  (call $f4) (call $f4) (call $f4) (call $f4) (call $f4)
  (call $f4) (call $f4) (call $f4) (call $f4) (call $f4))
(func $f6
  (call $f5) (call $f5) (call $f5) (call $f5) (call $f5)
  (call $f5) (call $f5) (call $f5) (call $f5) (call $f5))
(func $f7
  (call $f6) (call $f6) (call $f6) (call $f6) (call $f6)
  (call $f6) (call $f6) (call $f6) (call $f6) (call $f6))
(func $f8
  (call $f7) (call $f7) (call $f7) (call $f7) (call $f7)
  (call $f7) (call $f7) (call $f7) (call $f7) (call $f7))
(func $attack (call $f8))
