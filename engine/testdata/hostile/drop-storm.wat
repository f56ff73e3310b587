;; attack: Loop-free: a billion times data.drop and elem.drop.
;; want: fuel|deadline
;; in: scan alloc init _initialize start

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(data $d "x")
(func $none)
(elem $e func $none)
(func $f0
  (data.drop $d) (elem.drop $e)
  (data.drop $d) (elem.drop $e)
  (data.drop $d) (elem.drop $e)
  (data.drop $d) (elem.drop $e)
  (data.drop $d) (elem.drop $e)
  (data.drop $d) (elem.drop $e)
  (data.drop $d) (elem.drop $e)
  (data.drop $d) (elem.drop $e)
  (data.drop $d) (elem.drop $e)
  (data.drop $d) (elem.drop $e))
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
