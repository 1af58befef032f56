using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Evidence.Hashing;
using Evidence.Preservation.Statements;
using Evidence.Sources;

namespace Evidence.Preservation;

/// <summary>
/// Reads a sample of a wiped disk back, past the page cache where the system grants that. Which places, nobody can choose: they follow from the leaf hash of the entry that
/// says that the wipe begins, and whoever has the ledger and the disk reads the same ones (<c>docs/format/readback.md</c>).
/// </summary>
public static class ReadBack
{
    /// <summary>How many places are read where nothing else is said.</summary>
    public const int UsualPlaces = 1000;

    /// <summary>The most places of a sample.</summary>
    public const int MostPlaces = 1_000_000;

    /// <summary>Reads a sample.</summary>
    /// <param name="intent">The leaf hash of the entry that says that the wipe begins.</param>
    /// <param name="disk">The disk's id.</param>
    /// <param name="path">The device.</param>
    /// <param name="places">How many sectors to read, from 1 to <see cref="MostPlaces"/>; all of them where the disk has fewer.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="EvidenceException">The device cannot be opened, or is gone. A sector that cannot be read is counted, and is no error.</exception>
    public static ReadBackSample Sample(Sha256Digest intent, string disk, string path, int places = UsualPlaces, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(disk);
        if (places is < 1 or > MostPlaces)
            throw new EvidenceException(ErrorCode.Usage, string.Create(CultureInfo.InvariantCulture, $"A sample has 1 to {MostPlaces} places."));
        using var source = Source.Open(path, new SourceOptions { DirectIO = true, SingleFile = true });
        if (source.Length is not { } size || size < source.SectorSize)
            throw new EvidenceException(ErrorCode.SourceUnsupported, $"{path} is nothing that places can be read from: name the disk itself.");
        var sector = new byte[source.SectorSize];
        int read = 0;
        int blank = 0;
        int unreadable = 0;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (long place in Places(intent, disk, size / sector.Length, places))
        {
            cancellation.ThrowIfCancellationRequested();
            read++;
            try
            {
                _ = source.Read(place * sector.Length, sector);
                hash.AppendData(sector);
                blank += sector.AsSpan().ContainsAnyExcept(sector[0]) ? 0 : 1;
            }
            catch (SourceReadException e) when (!e.IsSourceGone)
            {
                unreadable++;
            }
        }

        return new ReadBackSample(disk, size, read, sector.Length, blank, unreadable, new Sha256Digest(hash.GetHashAndReset()), source.IsDirect);
    }

    /// <summary>
    /// The places, as numbers of sectors, in ascending order: of SHA-256 over the intent's leaf hash, the disk's id in UTF-8 and a counter of 8 bytes from 0 on, the first 8
    /// bytes, all big-endian, modulo the disk's sectors; until there are as many different ones as are asked for.
    /// </summary>
    internal static IReadOnlyCollection<long> Places(Sha256Digest intent, string disk, long sectors, int count)
    {
        var places = new SortedSet<long>();
        if (sectors <= count)
        {
            for (long place = 0; place < sectors; place++)
                places.Add(place);
            return places;
        }

        byte[] seed = [.. intent.ToArray(), .. Encoding.UTF8.GetBytes(disk), .. new byte[sizeof(long)]];
        for (long counter = 0; places.Count < count; counter++)
        {
            BinaryPrimitives.WriteInt64BigEndian(seed.AsSpan(seed.Length - sizeof(long)), counter);
            places.Add((long)(BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(seed)) % (ulong)sectors));
        }

        return places;
    }
}
