using System.Globalization;
using Evidence.Canonical;
using NodaTime;

namespace Evidence.Ledger.Timestamping;

/// <summary>What a token says of a checkpoint, and what it is worth, judged as of the token's own time.</summary>
public sealed record TimestampVerdict
{
    /// <summary>The log's origin, as the stamped checkpoint has it.</summary>
    public required Checkpoint Checkpoint { get; init; }

    /// <summary>The token's time.</summary>
    public required Instant Time { get; init; }

    /// <summary>How far off the time may be, either way; null where the token does not say.</summary>
    public required Duration? Accuracy { get; init; }

    /// <summary>The authority: the subject of the certificate that signed, or what the token calls it.</summary>
    public required string Authority { get; init; }

    /// <summary>The policy that the token was made under, an object identifier.</summary>
    public required string Policy { get; init; }

    /// <summary>The token's serial number, hexadecimal.</summary>
    public required string Serial { get; init; }

    /// <summary>Whether the authority's certificate goes back to one that the verifier trusts.</summary>
    public bool IsTrusted { get; init; }

    /// <summary>Why the token proves nothing; null where it holds.</summary>
    public string? Refusal { get; init; }

    /// <summary>What is to be known beside it: how far the revocation data reach, an accuracy that is not stated.</summary>
    public IReadOnlyList<string> Remarks { get; init; } = [];

    /// <summary>By when the checkpoint existed, if the token holds: its time, and what that may be off.</summary>
    public Instant NoLaterThan => Accuracy is { } accuracy && Instant.MaxValue - Time > accuracy ? Time + accuracy : Time;

    /// <summary>The earliest instant at which the token can have been made, if it holds.</summary>
    public Instant NotBefore => Accuracy is { } accuracy && Time - Instant.MinValue > accuracy ? Time - accuracy : Time;

    /// <summary>Whether it is an anchor: it holds, and the verifier trusts who made it.</summary>
    public bool Counts => Refusal is null && IsTrusted;

    /// <summary>The answer in words.</summary>
    public override string ToString()
    {
        string what = string.Create(CultureInfo.InvariantCulture, $"The first {Checkpoint.Size} entries existed no later than {Timestamps.Format(NoLaterThan)}");
        return Refusal is { } refusal ? string.Create(CultureInfo.InvariantCulture, $"A time stamp over the first {Checkpoint.Size} entries, of {Timestamps.Format(Time)} by {Authority}, proves nothing: {refusal}")
            : IsTrusted ? $"{what}: time-stamped by {Authority}"
            : $"{what}, if its word is good: time-stamped by an authority that you do not say you trust, {Authority}";
    }
}
