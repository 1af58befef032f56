using System.Runtime.InteropServices;

namespace Evidence.Platform;

/// <summary>What the kernel knows of its clock: adjtimex(2), asked without a change.</summary>
/// <param name="IsSynchronised">Whether something holds the clock to another one, by NTP or by a device.</param>
/// <param name="MaximumError">The most by which it may be wrong, in microseconds, where it is synchronised.</param>
/// <param name="EstimatedError">By how much it is likely to be wrong, in microseconds.</param>
internal readonly unsafe record struct ClockState(bool IsSynchronised, long MaximumError, long EstimatedError)
{
    /// <summary>The state now; null where the system does not tell.</summary>
    internal static ClockState? TryGet()
    {
        // No bit of Modes is set, so nothing is changed, and no privilege is needed.
        Raw raw = default;
        return Posix.AdjustTime(&raw) < 0 ? null : From(in raw);
    }

    internal static ClockState From(in Raw raw) => new(
        (raw.Status & Posix.STA_UNSYNC) == 0, Math.Max(0, (long)raw.MaximumError.Value), Math.Max(0, (long)raw.EstimatedError.Value));

    /// <summary><c>struct timex</c>: the fields that are used, and room for all.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Raw
    {
        internal uint Modes;
        internal CLong Offset;
        internal CLong Frequency;
        internal CLong MaximumError;
        internal CLong EstimatedError;
        internal int Status;
        internal CLong Constant;
        internal CLong Precision;
        internal CLong Tolerance;

        /// <summary>Times, ticks and counters, and what is reserved: at most 160 bytes.</summary>
        internal fixed byte Rest[160];
    }
}
