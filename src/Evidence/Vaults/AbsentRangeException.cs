using System.Globalization;
using Evidence.Segments;

namespace Evidence.Vaults;

/// <summary>What was asked for is not in the image: the source refused to give it, or was never asked (<see cref="ErrorCode.RangeAbsent"/>).</summary>
public sealed class AbsentRangeException : EvidenceException
{
    internal AbsentRangeException(VaultImage image, AbsentRange range)
        : base(ErrorCode.RangeAbsent, string.Create(
            CultureInfo.InvariantCulture,
            $"Bytes {range.Offset} to {range.End - 1} of image {image.Id} {(range.Kind == RunKind.Unreadable ? "could not be read from the source" : "were never read from the source")}{(range.Reason.Length > 0 ? $" ({range.Reason})" : "")}. Ask for zeros in their place where those will do.")) =>
        Range = range;

    /// <summary>The range that is absent, as far as it goes: it begins before what was asked for, and ends behind it, where the image lacks that too.</summary>
    public AbsentRange Range { get; }
}
