"""Pure statistics, without Django: metrics, intervals, sketches, drift, latency, alert states.

Light modules (standard library only, fit for the web): ``latency``, ``hysteresis``. The others
import numpy, pyarrow or scipy and are reached from workers only.
"""
