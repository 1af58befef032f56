namespace Evidence.Sources;

/// <summary>A place that could not be looked at for signs of encryption.</summary>
/// <param name="Offset">The place in the source, in bytes.</param>
/// <param name="Reason">Why.</param>
public sealed record UnsearchedPlace(long Offset, string Reason);

/// <summary>
/// Looks for signs of encryption where headers stand: at the start of a source, and at the start of each partition on it. Not told are: a container
/// without a header, such as VeraCrypt's, whose every byte is like noise (high entropy is no sign: compressed data have it too); a detached or wiped
/// header; what is inside a logical volume or a virtual disk; the encryption that a drive does by itself.
/// </summary>
public sealed class EncryptionSearch
{
    private readonly Source source;
    private readonly List<EncryptionSign> signs = [];
    private readonly List<UnsearchedPlace> unsearched = [];

    private EncryptionSearch(Source source) => this.source = source;

    /// <summary>The signs that were found, by their place.</summary>
    public IReadOnlyList<EncryptionSign> Signs => signs;

    /// <summary>The places that could not be looked at. Where there are any, to have found nothing means little.</summary>
    public IReadOnlyList<UnsearchedPlace> Unsearched => unsearched;

    /// <summary>Looks through a source. What cannot be read is told in <see cref="Unsearched"/>, and is no error.</summary>
    public static EncryptionSearch Of(Source source)
    {
        ArgumentNullException.ThrowIfNull(source);
        var search = new EncryptionSearch(source);
        search.Run();
        return search;
    }

    private void Run()
    {
        if (source.IsSequential)
        {
            unsearched.Add(new UnsearchedPlace(0, "It can be read only once, and in order."));
            return;
        }

        Look(0);
        // Whatever encrypts the whole begins at its start: partitions are then within, and what looks like their table is not one.
        if (signs.Count > 0)
            return;
        foreach (long start in new PartitionTable(source.Length!.Value, source.Identity.LogicalSectorSize, TryRead).Starts())
            Look(start);
    }

    private void Look(long offset)
    {
        var header = new byte[EncryptionSign.HeaderLength];
        if (TryRead(offset, header) && EncryptionSign.Tell(header) is { } scheme)
            signs.Add(new EncryptionSign(scheme, offset));
    }

    /// <summary>Reads what there is; past the end the buffer stays zero.</summary>
    private bool TryRead(long offset, Span<byte> buffer)
    {
        try
        {
            source.Read(offset, buffer);
            return true;
        }
        catch (EvidenceException e)
        {
            if (unsearched.TrueForAll(place => place.Offset != offset))
                unsearched.Add(new UnsearchedPlace(offset, e.Message));
            return false;
        }
    }
}
