using System.Globalization;
using System.Security.Cryptography;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Sources.Ewf;
using Evidence.Vaults;

namespace Evidence.Formats.Ewf;

/// <summary>
/// Hands an image out as an E01 of EnCase 6 (<c>docs/format/e01.md</c>). Every segment is checked against its id on the way. Chunks are encoded on all cores, and written in
/// order; what is under way is bounded, so that memory does not grow with the image.
/// </summary>
public static class EwfExport
{
    /// <summary>The bytes that are read and encoded together, at least one chunk.</summary>
    private const int BatchLength = 2 << 20;

    /// <summary>The last segment whose name ends in digits.</summary>
    private const int LastDigits = 99;

    /// <summary>Writes an image to new files.</summary>
    /// <param name="image">The image.</param>
    /// <param name="path">The first segment file, which ends in <c>.E01</c>; the others lie beside it. They appear together, when they are whole and durable.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="progress">Hears the number of bytes of the image that are done.</param>
    /// <param name="cancellation">Stops the export; nothing is left of it.</param>
    /// <exception cref="EvidenceException">
    /// There is a file of such a name, or one that would be taken for a part; the image cannot be an E01 (<see cref="ErrorCode.Usage"/>); what the vault holds is damaged, or its digests are not the
    /// manifest's (<see cref="ErrorCode.ContentRefuted"/>); the files cannot be written.
    /// </exception>
    public static async Task<EwfExportResult> WriteAsync(
        VaultImage image, string path, EwfExportOptions? options = null, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new EwfExportOptions();
        EwfSegmentName name = NameOf(Path.GetFullPath(path));
        int sectorSize = SectorSizeOf(image);
        EwfVolume volume = VolumeOf(image, sectorSize, options);
        List<(uint First, uint Count)> errors = ErrorsOf(image, sectorSize);
        long tail = TailLength(errors.Count);
        if (options.SegmentSize < EwfExportOptions.SmallestSegment || tail > options.SegmentSize / 2)
        {
            throw new EvidenceException(
                ErrorCode.Usage, $"Segments of {options.SegmentSize} bytes are too small: the least is {Math.Max(EwfExportOptions.SmallestSegment, 2 * tail)} bytes for this image.");
        }

        using OutputSet set = OutputSet.Create(name.PathOf(1), image.Logger);
        using var writer = new EwfSetWriter(set, name, EwfHeaders.Of(image, options), volume, options.SegmentSize, tail);
        using var chains = new EwfDigests();
        var counts = await CopyAsync(image, sectorSize, options.Compression, writer, chains, progress, cancellation).ConfigureAwait(false);
        Sha256Digest sha256 = Sha256Digest.Parse(chains.Sha256);
        int padding = (int)((volume.Sectors * sectorSize) - image.Size);
        bool? matches = Compare(image, chains, padding);
        writer.Finish(
            errors, Convert.FromHexString(chains.Md5), Convert.FromHexString(chains.Sha1),
            [
                EwfRemarks.Fact("image", $"sha256:{image.Id}"),
                EwfRemarks.Fact("size", image.Size.ToString(CultureInfo.InvariantCulture)),
                EwfRemarks.Fact("sha256", chains.Sha256),
            ]);
        if (writer.Files.Count < name.Last)
            RefuseExisting(name.PathOf(writer.Files.Count + 1));
        set.Publish();
        return new EwfExportResult
        {
            Files = writer.Files,
            StoredBytes = writer.Bytes,
            Length = image.Size,
            Padding = padding,
            SectorSize = sectorSize,
            Md5 = chains.Md5,
            Sha1 = chains.Sha1,
            Sha256 = sha256,
            AbsentBytes = counts.Absent,
            HoleBytes = counts.Holes,
            Matches = matches,
        };
    }

    private static async Task<(long Absent, long Holes)> CopyAsync(
        VaultImage image, int sectorSize, Compression compression, EwfSetWriter writer, EwfDigests chains, IProgress<long>? progress, CancellationToken cancellation)
    {
        int chunkLength = EwfFormat.SectorsPerChunk * sectorSize;
        int chunks = Math.Max(1, BatchLength / chunkLength);
        int batchLength = chunks * chunkLength;
        var encoder = new EwfChunkEncoder(compression, chunkLength);
        int most = Environment.ProcessorCount + 2;
        var free = new Stack<EwfBatch>();
        int made = 0;
        var encoding = new Queue<Task<EwfBatch>>();
        var hashing = new Queue<EwfBatch>();
        long next = 0;
        long done = 0;
        long absent = 0;
        long holes = 0;
        try
        {
            while (next < image.Size || encoding.Count > 0)
            {
                while (next < image.Size && (free.Count > 0 || made < most))
                {
                    if (!free.TryPop(out EwfBatch? batch))
                    {
                        batch = new EwfBatch(chunkLength, chunks);
                        made++;
                    }

                    long offset = next;
                    int length = (int)Math.Min(batchLength, image.Size - offset);
                    next += length;
                    encoding.Enqueue(Task.Run(
                        () =>
                        {
                            batch.Fill(image, offset, length, sectorSize, encoder);
                            return batch;
                        },
                        cancellation));
                }

                if (encoding.TryDequeue(out Task<EwfBatch>? first))
                {
                    EwfBatch batch = await first.ConfigureAwait(false);
                    batch.Hashed = chains.Append(batch);
                    hashing.Enqueue(batch);
                    for (int i = 0; i < batch.Count; i++)
                        writer.Add(batch.Stored(i), batch.IsCompressed(i), batch.Absences(i));
                    absent += batch.AbsentBytes;
                    holes += batch.HoleBytes;
                    done += batch.ImageBytes.Length;
                    progress?.Report(done);
                    cancellation.ThrowIfCancellationRequested();
                }

                // Where all memory is under way, the slowest digest sets the pace.
                while (hashing.TryPeek(out EwfBatch? oldest) && (oldest.Hashed.IsCompleted || (encoding.Count == 0 && free.Count == 0)))
                {
                    await oldest.Hashed.ConfigureAwait(false);
                    free.Push(hashing.Dequeue());
                }
            }

            await Task.WhenAll(hashing.Select(b => b.Hashed)).ConfigureAwait(false);
        }
        finally
        {
            // Whoever fails first leaves nobody behind who still reads or hashes.
            await ((Task)Task.WhenAll(encoding)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Task.WhenAll(hashing.Select(b => b.Hashed)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return (absent, holes);
    }

    private static EwfSegmentName NameOf(string path)
    {
        if (EwfSegmentName.TryParse(path, out int number) is not { First: 'E' } name || number != 1)
            throw new EvidenceException(ErrorCode.Usage, $"{path} is no name for the first segment of an E01: end it in .E01.");
        // Whoever reads the set takes the files of such names, one after another, for parts of it.
        for (int i = 1; i <= LastDigits; i++)
            RefuseExisting(name.PathOf(i));
        return name;
    }

    private static void RefuseExisting(string path)
    {
        if (Path.Exists(path))
            throw new EvidenceException(ErrorCode.DestinationInvalid, $"{path} exists already. Nothing is written over or mixed with it: name other files, or remove it first.");
    }

    private static int SectorSizeOf(VaultImage image)
    {
        long size = image.Manifest.Source.ContainsKey("sectorSize") ? image.Manifest.Source.RequireInteger("sectorSize") : Sources.Source.DefaultSectorSize;
        return size is 512 or 1024 or 2048 or 4096
            ? (int)size
            : throw new EvidenceException(ErrorCode.Usage, $"The image sha256:{image.Id} is of a disk with sectors of {size} bytes, which E01 tools do not read. Export it as raw.");
    }

    private static EwfVolume VolumeOf(VaultImage image, int sectorSize, EwfExportOptions options)
    {
        long sectors = (image.Size / sectorSize) + (image.Size % sectorSize == 0 ? 0 : 1);
        long chunks = (sectors / EwfFormat.SectorsPerChunk) + (sectors % EwfFormat.SectorsPerChunk == 0 ? 0 : 1);
        if (sectors == 0)
            throw new EvidenceException(ErrorCode.Usage, $"The image sha256:{image.Id} is empty, and an E01 holds at least one sector. Export it as raw.");
        if (chunks > uint.MaxValue)
            throw new EvidenceException(ErrorCode.Usage, $"The image sha256:{image.Id} has {chunks} chunks, and an E01 counts no more than {uint.MaxValue}. Export it as raw.");
        // The same image, cut in the same way, is the same set; parts of others are not to be mixed with it.
        byte[] set = SHA256.HashData([.. image.Id.ToArray(), (byte)options.Compression, .. BitConverter.GetBytes(options.SegmentSize)]);
        return new EwfVolume
        {
            MediaType = EwfVolume.FixedMedia,
            Chunks = chunks,
            SectorsPerChunk = EwfFormat.SectorsPerChunk,
            BytesPerSector = sectorSize,
            Sectors = sectors,
            MediaFlags = EwfVolume.PhysicalImage,
            CompressionLevel = (byte)options.Compression,
            ErrorGranularity = EwfFormat.SectorsPerChunk,
            Set = new Guid(set.AsSpan(0, 16)),
        };
    }

    /// <summary>What was not read, in whole sectors, joined where it touches.</summary>
    private static List<(uint First, uint Count)> ErrorsOf(VaultImage image, int sectorSize)
    {
        var errors = new List<(uint First, uint Count)>();
        long pendingFirst = 0;
        long pendingEnd = 0;
        foreach (AbsentRange range in image.Manifest.Absent)
        {
            long first = range.Offset / sectorSize;
            long end = (range.End + sectorSize - 1) / sectorSize;
            if (end > uint.MaxValue)
            {
                throw new EvidenceException(
                    ErrorCode.Usage, $"The range at offset {range.Offset} of image sha256:{image.Id} was not read, and an E01 cannot say so of sectors past {uint.MaxValue}. Export it as raw, with its mapfile.");
            }

            if (first > pendingEnd && pendingEnd > pendingFirst)
            {
                errors.Add(((uint)pendingFirst, (uint)(pendingEnd - pendingFirst)));
                pendingFirst = first;
            }
            else if (pendingEnd == pendingFirst)
            {
                pendingFirst = first;
            }

            pendingEnd = Math.Max(pendingEnd, end);
        }

        if (pendingEnd > pendingFirst)
            errors.Add(((uint)pendingFirst, (uint)(pendingEnd - pendingFirst)));
        return errors;
    }

    private static long TailLength(int errors) =>
        (errors > 0 ? EwfFormat.ErrorSectionLength(errors) : 0) + EwfRemarks.Overhead + 256 +
        EwfSection.DescriptorLength + EwfFormat.DigestLength + EwfSection.DescriptorLength + EwfFormat.HashLength;

    /// <summary>Whether what was read is what was imaged, by all digests that the manifest has of the same bytes.</summary>
    private static bool? Compare(VaultImage image, EwfDigests chains, int padding)
    {
        bool? matches = null;
        foreach (ImageDigest expected in image.Manifest.Digests)
        {
            string? value = expected.Algorithm switch
            {
                DigestAlgorithm.Sha256 => chains.Sha256,
                DigestAlgorithm.Md5 when padding == 0 => chains.Md5,
                DigestAlgorithm.Sha1 when padding == 0 => chains.Sha1,
                _ => null,
            };
            if (value is null)
                continue;
            if (!string.Equals(value, expected.Value, StringComparison.Ordinal))
            {
                throw new EvidenceException(
                    ErrorCode.ContentRefuted,
                    $"What was read from the vault has the {expected.Algorithm.Name()} {value}, but the manifest of image {image.Id} gives {expected.Value}. Nothing was exported.");
            }

            matches = true;
        }

        return matches;
    }
}
