using System.Buffers.Binary;
using Evidence.Formats.Ewf;
using Evidence.Rescue;
using Evidence.Segments;
using Evidence.Sources;
using Evidence.Sources.Ewf;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Xunit;

namespace Evidence.Tests.Sources.Ewf;

/// <summary>
/// Hostile files: what is opened ends in the library's own errors or in bytes, within a bound of memory. Where checksums were left as they were, no other byte than the
/// right one is ever given. With EVIDENCE_LONG=1 a hundred thousand of them.
/// </summary>
public sealed class EwfMutationTests : IDisposable
{
    private const int Chunk = 32_768;

    /// <summary>What a small file may cost, in bytes: the longest chunk there is, headers that inflate to their bound, what is read; and what tests that run beside allocate.</summary>
    private const long MostMemory = 256 << 20;

    private static readonly int Mutants = Environment.GetEnvironmentVariable("EVIDENCE_LONG") == "1" ? 34_000 : 1000;

    private readonly TestVault vault = new();
    private int opened;
    private int refused;

    [Theory]
    [InlineData(Compression.None)]
    [InlineData(Compression.Fast)]
    public async Task No_mutant_passes_a_wrong_byte_as_right(Compression compression)
    {
        (byte[] content, byte[] file) = await MakeAsync(compression);
        var random = new Random(1);
        for (int i = 0; i < Mutants; i++)
        {
            byte[] mutant = Mutate(file, random);
            Run(mutant, i, source =>
            {
                byte[]?[] pieces = E01.ReadAll(source, Chunk);
                for (int p = 0; p < pieces.Length; p++)
                    Assert.True(pieces[p] is null || pieces[p].AsSpan().SequenceEqual(content.AsSpan(p * Chunk, Math.Min(Chunk, content.Length - (p * Chunk)))), $"mutant {i} gives other bytes in chunk {p}");
                Assert.Equal(content.Length, source.Length);
            });
        }

        Assert.True(opened > Mutants / 10 && refused > Mutants / 10, $"{opened} were opened, {refused} refused: the mutants are all alike");
    }

    /// <summary>With every checksum made right again, what the sections say is believed more.</summary>
    [Fact]
    public async Task No_mutant_with_right_checksums_costs_more_than_its_size_allows()
    {
        (_, byte[] file) = await MakeAsync(Compression.Fast);
        List<(long Offset, EwfSection Section)> sections = E01.Sections(file);
        var random = new Random(2);
        for (int i = 0; i < Mutants; i++)
        {
            byte[] mutant = [.. file];
            for (int change = random.Next(1, 4); change > 0; change--)
            {
                (long offset, EwfSection section) = sections[random.Next(sections.Count)];
                int length = (int)Math.Min(section.Type == "sectors" ? 76 : 700, Math.Max(76, section.Next - offset));
                int at = (int)offset + random.Next(length - 8);
                switch (random.Next(4))
                {
                    case 0:
                        mutant[at] ^= (byte)(1 << random.Next(8));
                        break;
                    case 1:
                        BinaryPrimitives.WriteUInt32LittleEndian(mutant.AsSpan(at & ~3), (uint)random.NextInt64(uint.MaxValue + 1L));
                        break;
                    case 2:
                        BinaryPrimitives.WriteInt64LittleEndian(mutant.AsSpan(at), random.Next(2) == 0 ? long.MaxValue : random.Next(file.Length));
                        break;
                    default:
                        BinaryPrimitives.WriteUInt32LittleEndian(mutant.AsSpan(at & ~3), random.Next(3) switch { 0 => 0, 1 => uint.MaxValue, _ => (uint)random.Next(100_000) });
                        break;
                }
            }

            E01.Seal(mutant, sections);
            Run(mutant, i, source => E01.ReadAll(source, Chunk));
        }

        Assert.True(opened > Mutants / 10 && refused > Mutants / 10, $"{opened} were opened, {refused} refused: the mutants are all alike");
    }

    public void Dispose() => vault.Dispose();

    private void Run(byte[] mutant, int number, Action<Source> use)
    {
        string path = vault.At("mutant.E01");
        File.WriteAllBytes(path, mutant);
        long before = GC.GetTotalAllocatedBytes();
        try
        {
            using EwfSource source = EwfSource.Open(path);
            opened++;
            if (source.Length < 1L << 30)
                use(source);
            _ = source.Container.Digests.Count;
            Assert.InRange(source.Absences.Count + source.Extents().Count(), 0, 1 << 20);
        }
        catch (EvidenceException e)
        {
            refused++;
            Assert.NotEqual(ErrorCode.Internal, e.Code, StringComparer.Ordinal);
        }

        long cost = GC.GetTotalAllocatedBytes() - before;
        Assert.True(cost < MostMemory, $"mutant {number} cost {cost} bytes");
    }

    private static byte[] Mutate(byte[] file, Random random)
    {
        byte[] mutant = [.. file];
        switch (random.Next(6))
        {
            case 0:
                return mutant[..random.Next(mutant.Length)];
            case 1:
                // A part is lost.
                int start = random.Next(mutant.Length);
                int length = random.Next(1, Math.Min(5000, mutant.Length - start + 1));
                return [.. mutant[..start], .. mutant[(start + length)..]];
            case 2:
                // A part comes twice.
                int from = random.Next(mutant.Length);
                return [.. mutant[..from], .. mutant[random.Next(from + 1)..]];
            case 3:
                // A range is overwritten by another of the file.
                int target = random.Next(mutant.Length - 100);
                int count = random.Next(1, Math.Min(4096, mutant.Length - target));
                file.AsSpan(random.Next(mutant.Length - count), count).CopyTo(mutant.AsSpan(target));
                return mutant;
            default:
                // Mostly where meaning is: descriptors and tables lie at the file's ends.
                for (int flips = random.Next(1, 5); flips > 0; flips--)
                {
                    int place = random.Next(3) switch { 0 => random.Next(Math.Min(2500, mutant.Length)), 1 => mutant.Length - 1 - random.Next(Math.Min(4000, mutant.Length)), _ => random.Next(mutant.Length) };
                    mutant[place] ^= (byte)(1 << random.Next(8));
                }

                return mutant;
        }
    }

    private async Task<(byte[] Content, byte[] File)> MakeAsync(Compression compression)
    {
        byte[] content = TestBytes.Disk((5 * Chunk) + 1536, 3);
        var mapfile = new RescueMap(content.Length);
        mapfile.Set(0, content.Length, RescueStatus.Finished);
        using Vault open = vault.Create();
        var (export, _) = await E01.MakeAsync(vault, open, content, "valid", new EwfExportOptions { Compression = compression }, mapfile);
        return (content, await File.ReadAllBytesAsync(export.Files[0], TestVault.Stop));
    }
}
