using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Platform;

namespace Evidence.Vaults;

/// <summary>How far the clock that an image's times came from was to be trusted, as the kernel told it when the last run began (adjtimex(2)).</summary>
/// <param name="IsSynchronised">Whether something held it to another clock.</param>
/// <param name="MaximumError">The most by which it could be wrong, in microseconds; means little where it was not synchronised.</param>
/// <param name="EstimatedError">By how much it was likely to be wrong, in microseconds.</param>
public sealed record ClockSynchronisation(bool IsSynchronised, long MaximumError, long EstimatedError)
{
    /// <summary>The state of this machine's clock now; null where the system does not tell.</summary>
    internal static ClockSynchronisation? Now() =>
        ClockState.TryGet() is { } state ? new ClockSynchronisation(state.IsSynchronised, state.MaximumError, state.EstimatedError) : null;

    internal JsonObject Encode() => new()
    {
        ["synchronised"] = IsSynchronised,
        ["maximumError"] = DecimalText.Format(MaximumError),
        ["estimatedError"] = DecimalText.Format(EstimatedError),
    };

    /// <exception cref="FormatException">It is not in its form.</exception>
    internal static ClockSynchronisation Decode(JsonObject json) =>
        new(json.RequireBoolean("synchronised"), json.RequireDecimal("maximumError"), json.RequireDecimal("estimatedError"));
}
